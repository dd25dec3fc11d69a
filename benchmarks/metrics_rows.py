"""Millions of metric rows as experiments leave them, for the benchmarks of `GET /metrics`."""

from collections.abc import Iterator
from dataclasses import dataclass

from db import claims, experiments
from db.claims import Claim
from db.experiments import NewExperiment
from db.metrics import NewMetric
from db.session import Database

ROWS_PER_EXPERIMENT = 10_000
CONCURRENT = 4
"""Experiments that run at the same time; their rows lie between each other."""
BATCH = 1000
"""Rows a worker writes at once."""
EXPERIMENTS_PER_SUITE = 20
BACKBONES = ("minilm", "distilbert", "bert-base")
NUM_DATASETS = 20
NUM_SEEDS = 10
LAYERS = 13
RARE_NAME = "drift/psi"
"""Only the first experiment has it."""
RARE_DATASET = "corpus-rare"
"""Only the second experiment is of it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One experiment of the benchmark."""

    number: int
    dataset: str
    backbone: str
    seed: int

    def metrics(self, count: int) -> Iterator[NewMetric]:
        """`count` values: training, validation and speed by step, and at the end those of the test part."""
        last = list(self._final())
        steps = count - len(last)
        for number in range(steps):
            step, kind = divmod(number, 10)
            if kind < 7:
                name = ("train/loss", "train/accuracy", "train/grad_norm")[kind % 3]
                yield NewMetric(name=name, value=1 / (number + 1), step=number, split="train")
            elif kind < 9:
                name = ("eval_loss", "eval_accuracy")[kind % 2]
                yield NewMetric(name=f"validation/{name}", value=0.5, step=number, split="validation")
            else:
                yield NewMetric(name="system/tokens_per_second", value=1000.0 + step, step=number)
        yield from last

    def _final(self) -> Iterator[NewMetric]:
        for name in (
            "accuracy",
            "top5_accuracy",
            "macro_f1",
            "ece",
            "auroc_unknown",
            "precision@5",
            "ndcg@5",
        ):
            yield NewMetric(name=f"eval/{name}", value=0.5, split="test")
        for layer in range(LAYERS):
            for probe in ("linear", "nonlinear"):
                for what in ("accuracy", "selectivity"):
                    yield NewMetric(name=f"probe/{probe}/{what}", value=0.5, split="test", layer=layer)
        if self.number == 0:
            yield NewMetric(name=RARE_NAME, value=0.1)


def plan(number: int) -> Planned:
    """The experiment of this number."""
    return Planned(
        number,
        dataset=RARE_DATASET if number == 1 else f"corpus-{number % NUM_DATASETS:02d}",
        backbone=BACKBONES[number % len(BACKBONES)],
        seed=number % NUM_SEEDS,
    )


class Writer:
    """Writes rows as workers do: under claims, in their batches, of several experiments by turns.

    Args:
        rows_per_experiment: rows of each experiment.
    """

    def __init__(self, database: Database, rows_per_experiment: int = ROWS_PER_EXPERIMENT) -> None:
        self._database = database
        self._rows_per_experiment = rows_per_experiment
        self._datasets: dict[str, str] = {}
        self._parent: str | None = None
        self._num_begun = 0
        self.experiments: list[str] = []
        """Ids, in the order in which they began."""
        self.parents: list[str] = []

    def write(self, num_experiments: int) -> int:
        """Write all rows of so many further experiments, and end them; returns how many rows that were."""
        written = 0
        while num_experiments > 0:
            group = [self._begin() for _ in range(min(CONCURRENT, num_experiments))]
            num_experiments -= len(group)
            written += self._write_by_turns(group)
            for _, claim in group:
                with self._database.session() as session:
                    claims.succeed(session, claim, artifacts=[], model=None)
        return written

    def _write_by_turns(self, group: list[tuple[Planned, Claim]]) -> int:
        values = [list(planned.metrics(self._rows_per_experiment)) for planned, _ in group]
        for start in range(0, self._rows_per_experiment, BATCH):
            for (planned, claim), of_one in zip(group, values, strict=True):
                with self._database.session() as session:
                    claims.record(
                        session,
                        claim,
                        progress=None,
                        new_metrics=of_one[start : start + BATCH],
                        dataset=planned.dataset,
                    )
        return sum(map(len, values))

    def _begin(self) -> tuple[Planned, Claim]:
        planned = plan(self._num_begun)
        with self._database.session() as session:
            if self._num_begun % EXPERIMENTS_PER_SUITE == 0:
                suite = NewExperiment(kind="suite", config={}, seed=0, dataset_id=None)
                self._parent = experiments.add(session, suite).id
                self.parents.append(self._parent)
            new = NewExperiment(
                kind="train",
                config={},
                seed=planned.seed,
                dataset_id=None,
                backbone_id=planned.backbone,
                parent_id=self._parent,
            )
            experiment_id = experiments.add(session, new).id
        with self._database.session() as session:
            claim = claims.claim(session, experiment_id, "benchmark", lease_seconds=3600)
        assert claim is not None
        self.experiments.append(experiment_id)
        self._num_begun += 1
        return planned, claim
