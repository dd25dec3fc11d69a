"""Kinds `pretrain` and `perplexity`, and what can be done with the backbone that comes out."""

from pathlib import Path
from typing import cast

import pytest
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from db import backbones
from db.settings import Settings
from db.tables import Backbone
from sip_model.corpora.document import Document
from tests.sip_model.backbones.tiny import make_tiny_backbone
from tests.worker.kinds.conftest import AddDataset, Gate, Look, Queue, Results, Run
from tests.worker.kinds.corpora import CHUNK_WORDS, make_documents
from worker.supervisor import Supervisor

SOURCES = ("ash", "birch", "cedar")
SEED = 3
SPLIT: dict[str, dict[str, object]] = {"chunk": {"num_words": CHUNK_WORDS}}


def config(**pretrain: object) -> dict[str, dict[str, object]]:
    """A training of a few steps."""
    block = {"size": "nano", "vocab_size": 512, "context": 32, "batch_tokens": 256, **pretrain}
    return {**SPLIT, "pretrain": block}


@pytest.fixture
def dataset_id(add_dataset: AddDataset) -> str:
    """Three sources with words of their own."""
    return add_dataset("trees", make_documents(SOURCES))


def backbone_of(results: Results) -> Backbone:
    """The backbone it made."""
    assert results.experiment.backbone_id is not None
    with results.database.session() as session:
        return backbones.get(session, results.experiment.backbone_id)


def folder_of(results: Results) -> Path:
    """Its files."""
    row = backbone_of(results)
    return results.store.local_folder(row.storage_key, {name: str(sha) for name, sha in row.files.items()})


def test_a_backbone_comes_out_that_others_can_load(run: Run, dataset_id: str) -> None:
    results = run("pretrain", dataset_id, config(epochs=4))
    row = results.experiment
    assert (row.status, row.error_message) == ("succeeded", None)
    backbone, found = backbone_of(results), results.metrics()
    assert backbone.id.startswith("bb_")
    assert (backbone.family, backbone.is_causal, backbone.num_layers, backbone.hidden_size) == (
        "gpt_neox",
        True,
        3,
        96,
    )
    assert (backbone.name, backbone.experiment_id, backbone.max_tokens) == ("pretrain", row.id, 32)
    assert backbone.card["num_non_embedding_parameters"] == 335_712
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(
        backbone.files
    )
    losses = [value or 0 for _, value in results.steps("train/loss")]
    assert losses[-1] < losses[0] - 0.5
    tokens = [value for _, value in results.steps("train/tokens")]
    assert tokens[-1] == backbone.card["train_tokens"]
    assert len(results.steps("validation/perplexity")) >= 5
    assert 1 < (found["lm/perplexity", "test"] or 0) < 512
    assert (found["lm/bytes", "test"] or 0) > (found["lm/tokens", "test"] or 0) > 0

    folder = folder_of(results)
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert model.config.vocab_size >= len(tokenizer)
    assert tokenizer.decode(tokenizer("w1z w2z")["input_ids"]) == "w1z w2z"


def test_the_same_experiment_again_gives_the_same_weights(run: Run, dataset_id: str) -> None:
    first, second = (run("pretrain", dataset_id, config()) for _ in range(2))
    assert backbone_of(first).files == backbone_of(second).files
    assert first.steps("train/loss") == second.steps("train/loss")


def test_an_identifier_is_trained_on_it_and_it_can_be_trained_further(run: Run, dataset_id: str) -> None:
    made = run("pretrain", dataset_id, config())
    backbone_id = backbone_of(made).id
    block = {"id": backbone_id, "layers": [1, 3], "pooling": "last", "dtype": "float32"}
    training = {"epochs": 6, "learning_rate": 0.02}
    trained = run("train", dataset_id, {**SPLIT, "backbone": block, "training": training})
    assert (trained.experiment.status, trained.experiment.error_message) == ("succeeded", None)
    used = trained.model().card["backbone"]
    assert isinstance(used, dict)
    assert (used["id"], used["revision"]) == (backbone_id, backbone_of(made).sha256)

    evaluated = run("evaluate", dataset_id, {}, model_id=trained.model().id)
    assert (evaluated.experiment.status, evaluated.experiment.error_message) == ("succeeded", None)

    longer = run("pretrain", dataset_id, config(**{"from": backbone_id, "learning_rate": 1e-3, "epochs": 3}))
    assert (longer.experiment.status, longer.experiment.error_message) == ("succeeded", None)
    assert backbone_of(longer).card["from"] == backbone_id
    assert len(backbone_of(longer).card["seen"]) == 2  # type: ignore[arg-type]  # a list in JSON
    before, after = made.metrics(), longer.metrics()
    assert (after["lm/perplexity", "test"] or 0) < (before["lm/perplexity", "test"] or 0)


def test_several_datasets_are_read_as_one(run: Run, dataset_id: str, add_dataset: AddDataset) -> None:
    other = add_dataset("flowers", make_documents(("daisy", "rose"), seed=1))
    one, both = (run("pretrain", dataset_id, config(also=also)) for also in ([], [other]))
    assert (both.experiment.status, both.experiment.error_message) == ("succeeded", None)
    tokens = [results.metrics()["data/train_tokens", "train"] or 0 for results in (one, both)]
    assert tokens[1] > 1.3 * tokens[0]
    assert [entry["name"] for entry in backbone_of(both).card["seen"]] == ["trees", "flowers"]  # type: ignore[union-attr,index,call-overload]  # JSON


def test_perplexity_of_a_backbone_trained_here_is_that_of_its_held_out_text(
    run: Run, dataset_id: str
) -> None:
    made = run("pretrain", dataset_id, config(epochs=3))
    block = {"id": backbone_of(made).id, "dtype": "float32"}
    asked = run("perplexity", dataset_id, {**SPLIT, "backbone": block}, seed=SEED)
    assert (asked.experiment.status, asked.experiment.error_message) == ("succeeded", None)
    for name in ("lm/perplexity", "lm/bits_per_byte", "lm/tokens", "lm/bytes"):
        assert asked.metrics()[name, "test"] == pytest.approx(made.metrics()[name, "test"])
    table = asked.document("perplexity.json")
    assert [entry["source"] for entry in table["sources"]] == list(SOURCES)
    about = cast("dict[str, object]", table)  # beside the sources
    assert (about["part"], about["context"], about["trained_on_this_text"]) == ("test", 32, False)

    turned = run("perplexity", dataset_id, {**SPLIT, "backbone": block}, seed=SEED + 1).experiment
    assert (turned.status, turned.error_type) == ("failed", "InvalidInputError")
    assert "seed: expected seed as when this backbone was trained" in (turned.error_message or "")
    everything = {**SPLIT, "backbone": block, "perplexity": {"part": "all"}}
    whole = run("perplexity", dataset_id, everything, seed=SEED + 1)
    assert (whole.experiment.status, whole.experiment.error_message) == ("succeeded", None)
    assert whole.document("perplexity.json")["trained_on_this_text"]


def test_an_encoder_has_no_perplexity(run: Run, dataset_id: str) -> None:
    row = run("perplexity", dataset_id, {"backbone": {"id": "tiny"}}).experiment
    assert (row.status, row.error_type) == ("failed", "BackboneError")
    assert "an encoder: it has no perplexity" in (row.error_message or "")


def test_what_cannot_be_trained_fails_with_its_reason(
    run: Run, dataset_id: str, add_dataset: AddDataset
) -> None:
    missing = run("pretrain", dataset_id, config(**{"from": "bb_none"})).experiment
    assert (missing.status, missing.error_type) == ("failed", "BackboneError")
    short = [Document(f"d{number}", "one two", (f"s{number % 2}",)) for number in range(40)]
    tiny = run("pretrain", add_dataset("short", short), config()).experiment
    assert (tiny.status, tiny.error_type) == ("failed", "InvalidInputError")


def test_a_training_asked_to_end_takes_up_where_it_was_and_ends_with_the_same_weights(
    run_in_process: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    gate: Gate,
    dataset_id: str,
) -> None:
    wanted = config(epochs=4, checkpoint_seconds=3600.0)
    experiment_id = queue("pretrain", dataset_id, wanted)
    gate.stop_at(experiment_id)
    row = look(experiment_id).experiment
    assert (row.status, row.attempt, row.crashes) == ("queued", 1, 0)
    assert row.checkpoint_key is not None

    supervisor.run(experiment_id)
    resumed, expected = look(experiment_id), run_in_process("pretrain", dataset_id, wanted)
    assert (resumed.experiment.status, resumed.experiment.error_message) == ("succeeded", None)
    assert (resumed.experiment.resumed_from_step or 0) > 0
    ours, theirs = (load_file(folder_of(results) / "model.safetensors") for results in (resumed, expected))
    assert all(bool((ours[name] == theirs[name]).all()) for name in theirs)
    assert resumed.steps("train/loss") == expected.steps("train/loss")
    assert resumed.steps("validation/loss") == expected.steps("validation/loss")


def test_a_decoder_of_another_family_is_asked_too(
    run: Run, settings: Settings, dataset_id: str, tmp_path: Path
) -> None:
    make_tiny_backbone(tmp_path / "gpt2", "gpt2")
    settings.backbone_folders["gpt2"] = tmp_path / "gpt2"
    results = run("perplexity", dataset_id, {"backbone": {"id": "gpt2"}, "perplexity": {"max_tokens": 500}})
    assert (results.experiment.status, results.experiment.error_message) == ("succeeded", None)
    found = results.metrics()
    # the tokenizer has no token that begins a text: the first of each document is not predicted
    assert 496 <= (found["lm/tokens", None] or 0) < 500
