"""The pages and polls of `GET /metrics` that are measured: every filter, and the awkward ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.metrics_rows import RARE_DATASET, RARE_NAME
from db.metrics import MetricFilter

Query = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Case:
    """One request."""

    name: str
    query: Query

    @property
    def wanted(self) -> MetricFilter:
        """The filter the request is turned into; of datasets, by name."""

        def values(key: str) -> tuple[str, ...]:
            return (str(self.query[key]),) if key in self.query else ()

        def numbers(key: str) -> tuple[int, ...]:
            return (int(self.query[key]),) if key in self.query else ()

        return MetricFilter(
            experiments=values("experiment"),
            names=values("name"),
            splits=values("split"),
            backbones=values("backbone"),
            datasets=values("dataset"),
            layers=numbers("layer"),
            seeds=numbers("seed"),
            parents=values("parent"),
        )


def cases(experiments: Sequence[str], parents: Sequence[str], last_id: int) -> Iterator[Case]:
    """All of them.

    Args:
        experiments: ids, oldest first.
        parents: ids of suites.
        last_id: the newest row's.
    """
    middle = len(experiments) // 2
    filters: dict[str, Query] = {
        "everything": {},
        "an experiment": {"experiment": experiments[middle]},
        "an experiment's eval/*": {"experiment": experiments[middle], "name": "eval/*"},
        "the name train/loss": {"name": "train/loss"},
        "the name system/tokens_per_second": {"name": "system/tokens_per_second"},
        "the names eval/*": {"name": "eval/*"},
        "a dataset": {"dataset": "corpus-07"},
        "a backbone": {"backbone": "bert-base"},
        "a layer": {"layer": 5},
        "a seed": {"seed": 3},
        "a split, frequent": {"split": "train"},
        "a split, rare": {"split": "test"},
        "children of a suite": {"parent": parents[len(parents) // 2]},
        "a dataset's probe/* of a layer": {"dataset": "corpus-07", "name": "probe/*", "layer": 5},
        "a backbone's eval/accuracy of a seed": {"backbone": "bert-base", "name": "eval/accuracy", "seed": 3},
        "nothing: no such name": {"name": "none/*"},
        "nothing: filters that exclude each other": {"name": "probe/*", "split": "train"},
        "a name of one old row": {"name": RARE_NAME},
        "a dataset of one old experiment": {"dataset": RARE_DATASET},
    }
    for name, query in filters.items():
        yield Case(f"{name}, from the start", query)
        yield Case(f"{name}, from the middle", {**query, "since": last_id // 2})
        yield Case(f"{name}, nothing new", {**query, "since": last_id})
    yield Case("latest of an experiment", {"experiment": experiments[middle], "latest": "true"})
    yield Case("latest of everything", {"latest": "true"})
    yield Case("latest eval/* of a dataset", {"dataset": "corpus-07", "name": "eval/*", "latest": "true"})
