"""Train one language model with several processes, one per GPU or per few cores.

::

    python -m torch.distributed.run --nproc-per-node 4 -m sip_model.backbones.pretraining.distributed run.json

``run.json`` holds `corpora` (paths of normalised corpora), `output` (the folder to write), `device`
(``cpu`` or ``cuda``), `seed`, and the blocks of the kind `pretrain`: `pretrain` (but not its `from` and
`also`), `chunk`, `sources`, `split`. Started without ``torch.distributed.run`` it trains with one process. A
run that was interrupted takes up from ``checkpoint`` in the output folder, which all processes must see. The
first process writes ``losses.jsonl`` there.
"""

import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from sip_model.backbones.pretraining.checkpoint import TrainingCheckpoint
from sip_model.backbones.pretraining.loop import Report, pretrain
from sip_model.backbones.pretraining.prepared import PreparedText
from sip_model.backbones.pretraining.ranks import joined
from sip_model.backbones.pretraining.setup import Setup
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.corpora.store import Corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig
from sip_model.experiments.pretrain import PretrainBlock


class Run(TypedDict):
    """What ``run.json`` holds."""

    corpora: list[str]
    output: str
    device: str
    seed: int
    pretrain: PretrainBlock
    chunk: ChunkConfig
    sources: SourcesConfig
    split: SplitConfig


def read_run(path: Path) -> Run:
    """A run's description; `TypeError` or `ValueError` for fields that can't be used."""
    given = json.loads(path.read_text(encoding="utf-8"))
    return Run(
        corpora=given["corpora"],
        output=given["output"],
        device=given.get("device", "cpu"),
        seed=given.get("seed", 0),
        pretrain=PretrainBlock(**given.get("pretrain", {})),
        chunk=ChunkConfig(**given.get("chunk", {})),
        sources=SourcesConfig(**given.get("sources", {})),
        split=SplitConfig(**given.get("split", {})),
    )


def main(path: Path) -> None:
    """Train and save; every process prepares the same text, each reads its share of every step."""
    run = read_run(path)
    output = Path(run["output"])
    output.mkdir(parents=True, exist_ok=True)
    corpora = [Corpus(Path(corpus)) for corpus in run["corpora"]]
    text = PretrainingText.of(corpora, run["chunk"], run["sources"], run["split"], run["seed"])
    setup = Setup.new(PreparedText.of(text, run["pretrain"].vocab_size), run["pretrain"], run["seed"])
    identity = hashlib.sha256(json.dumps([asdict(run["pretrain"]), run["seed"]]).encode())
    identity.update(setup.train.tokens.data)

    def on_report(report: Report) -> None:
        with (output / "losses.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(report._asdict()) + "\n")

    with joined(run["device"]) as (ranks, device):
        checkpoint = TrainingCheckpoint(
            output / "checkpoint",
            identity.hexdigest(),
            run["pretrain"].checkpoint_seconds,
            on_saved=lambda _path: None,
        )
        pretrain(
            setup.model,
            setup.train,
            setup.validation,
            run["pretrain"],
            setup.schedule,
            device=device,
            checkpoint=checkpoint,
            on_report=on_report,
            ranks=ranks,
        )
        if ranks.is_first:
            setup.save(output / "backbone")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
