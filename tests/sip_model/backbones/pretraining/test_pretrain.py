"""Training a language model: resumed, in several processes, and on the train part alone."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_model.backbones.causal import load_causal
from sip_model.backbones.info import read_info
from sip_model.backbones.pretraining.checkpoint import TrainingCheckpoint
from sip_model.backbones.pretraining.loop import Report, pretrain
from sip_model.backbones.pretraining.prepared import PreparedText
from sip_model.backbones.pretraining.schedule import Schedule
from sip_model.backbones.pretraining.setup import Setup
from sip_model.backbones.pretraining.shapes import SHAPES, new_model, num_parameters
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.errors import ArtifactError, InvalidInputError
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig
from sip_model.experiments.pretrain import PretrainBlock, SizeName
from tests.worker.kinds.corpora import CHUNK_WORDS, make_documents

CONFIG = PretrainBlock(size="nano", vocab_size=512, context=32, batch_tokens=256, epochs=1)
CHUNK = ChunkConfig(num_words=CHUNK_WORDS)


class _KilledError(Exception):
    """The process dies here."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three sources with words of their own."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.parquet"
    write_corpus(make_documents(("ash", "birch", "cedar")), path)
    return Corpus(path)


def prepare(corpus: Corpus, config: PretrainBlock = CONFIG) -> Setup:
    """Everything a training starts with."""
    text = PretrainingText.of([corpus], CHUNK, SourcesConfig(), SplitConfig(), 0)
    return Setup.new(PreparedText.of(text, config.vocab_size), config, 0)


def train(
    setup: Setup,
    checkpoint: Path,
    on_report: Callable[[Report], None],
    config: PretrainBlock = CONFIG,
    run: str = "this",
    on_saved: Callable[[Path], None] = lambda _: None,
) -> None:
    """Train in this process, with a checkpoint after every step."""
    pretrain(
        setup.model,
        setup.train,
        setup.validation,
        config,
        setup.schedule,
        device="cpu",
        checkpoint=TrainingCheckpoint(checkpoint, run, 1e-9, on_saved),
        on_report=on_report,
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [("nano", 335_712), ("micro", 991_616), ("mini", 2_669_568), ("small", 5_528_832)],
)
def test_the_sizes_are_as_documented(size: SizeName, expected: int) -> None:
    total, inside = num_parameters(new_model(size, 600, 64, 0, 0))
    assert inside == expected
    assert total == expected + 2 * 600 * SHAPES[size].hidden_size


def test_a_resumed_training_ends_with_the_same_weights(corpus: Corpus, tmp_path: Path) -> None:
    whole, reports = prepare(corpus), list[Report]()
    train(whole, tmp_path / "whole", reports.append)
    assert whole.schedule.num_steps >= 6

    saves, resumed_reports = 0, list[Report]()

    def die(_: Path) -> None:
        nonlocal saves
        saves += 1
        if saves == 3:
            raise _KilledError

    with pytest.raises(_KilledError):
        train(prepare(corpus), tmp_path / "checkpoint", resumed_reports.append, on_saved=die)
    assert [report.step for report in resumed_reports] == [1, 2, 3]
    again = prepare(corpus)
    train(again, tmp_path / "checkpoint", resumed_reports.append)
    assert [report.step for report in resumed_reports] == [report.step for report in reports]
    assert [report.train_loss for report in resumed_reports] == [report.train_loss for report in reports]
    for ours, theirs in zip(again.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_checkpoint_of_another_run_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    train(prepare(corpus), tmp_path / "checkpoint", lambda _: None)
    with pytest.raises(ArtifactError, match="another one"):
        train(prepare(corpus), tmp_path / "checkpoint", lambda _: None, run="other")
    (tmp_path / "checkpoint").write_bytes(b"damaged")
    damaged = TrainingCheckpoint(tmp_path / "checkpoint", "this", 1.0, lambda _: None)
    assert damaged.unusable() is not None


def test_passes_and_gradient_checkpointing_change_nothing_but_memory(corpus: Corpus, tmp_path: Path) -> None:
    losses = []
    changes: list[dict[str, object]] = [{}, {"accumulate": 4}, {"gradient_checkpointing": True}]
    for number, changed in enumerate(changes):
        fields = {
            "size": "nano",
            "vocab_size": 512,
            "context": 32,
            "batch_tokens": 256,
            "dtype": "float32",
            **changed,
        }
        config = PretrainBlock(**fields)  # type: ignore[arg-type]  # of several types
        reports = list[Report]()
        train(prepare(corpus, config), tmp_path / str(number), reports.append, config)
        losses.append([report.train_loss for report in reports])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[2] == pytest.approx(losses[0], rel=1e-4)


def test_two_processes_train_as_one_with_two_passes(corpus: Corpus, tmp_path: Path) -> None:
    fields = {"size": "nano", "vocab_size": 512, "context": 32, "batch_tokens": 256, "accumulate": 2}
    found = {}
    for processes in (1, 2):
        output = tmp_path / f"by-{processes}"
        run = {"corpora": [str(corpus.path)], "output": str(output), "pretrain": fields}
        run["chunk"] = {"num_words": CHUNK_WORDS}
        path = tmp_path / f"run-{processes}.json"
        path.write_text(json.dumps(run))
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        module = ["-m", "sip_model.backbones.pretraining.distributed", str(path)]
        subprocess.run(
            [sys.executable, *launcher, *module],
            check=True,
            timeout=250,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        lines = (output / "losses.jsonl").read_text().splitlines()
        found[processes] = [json.loads(line)["train_loss"] for line in lines]
        assert read_info(output / "backbone", "x", "").num_layers == 3
    assert len(found[1]) >= 6
    assert found[2] == pytest.approx(found[1], rel=1e-4)


def test_the_saved_folder_gives_the_same_logits(corpus: Corpus, tmp_path: Path) -> None:
    setup = prepare(corpus)
    setup.save(tmp_path / "saved")
    loaded = load_causal(tmp_path / "saved", read_info(tmp_path / "saved", "x", ""), "cpu", "float32")
    assert (loaded.start_token, loaded.end_token) == (0, 0)
    ids, _ = setup.train.sequences(np.arange(2))
    with torch.no_grad():
        assert torch.equal(loaded.model(input_ids=ids).logits, setup.model.eval()(input_ids=ids).logits)
    assert loaded.tokenizer.encode("w1z").ids == setup.tokenizer.encode("w1z").ids


def test_a_schedule_reads_every_sequence_once_an_epoch_and_keeps_to_its_budget() -> None:
    config = PretrainBlock(context=32, batch_tokens=128, epochs=2, warmup=0.25)
    schedule = Schedule.of(config, 10, 1.0, 5)
    assert (schedule.batch_sequences, schedule.num_steps) == (4, 5)
    read = np.concatenate([schedule.sequences(step) for step in range(5)])
    assert sorted(read[:10].tolist()) == sorted(read[10:].tolist()) == list(range(10))
    rates = [schedule.rate(step) for step in range(5)]
    assert rates[0] == 0.5
    assert rates[1] == rates[2] == 1.0
    assert rates[4] < rates[3] < 1.0
    limited = PretrainBlock(context=32, batch_tokens=128, epochs=9, max_tokens=300)
    assert Schedule.of(limited, 10, 1.0, 5).num_steps * 4 * 32 <= 300
    with pytest.raises(InvalidInputError, match="at least one sequence"):
        Schedule.of(config, 0, 1.0, 5)
