"""What must be true once the storm is over; each check returns what is wrong."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from db.metric_search import MetricRow, first_rows
from db.session import Database
from db.settings import Settings
from db.states import FINAL, TRANSITIONS, Status
from db.tables import Artifact, Dataset, Experiment, LooseFiles, Model
from tests.storm.audit import Change
from tests.storm.jobs import KIND, METRIC, artifacts, loss, model_files

LEAST_SUCCEEDED = 0.95

Values = dict[tuple[str, int | None, str | None, int | None], float | None]
"""Name, step, split and layer → value."""


@dataclass(frozen=True)
class Outcome:
    """Every row there is at the end, and the files of the store by key."""

    experiments: dict[str, Experiment]
    metrics: dict[str, list[MetricRow]]
    artifacts: dict[str, list[Artifact]]
    models: dict[str, list[Model]]
    """Each by its experiment's id."""
    datasets: list[Dataset]
    loose_files: list[LooseFiles]
    root: Path
    files: frozenset[str]

    def succeeded(self) -> list[Experiment]:
        """Experiments that ended well."""
        return [row for row in self.experiments.values() if row.status == Status.SUCCEEDED]


def read_outcome(database: Database, settings: Settings) -> Outcome:
    """Read all rows, and list all files."""
    root = Path(settings.artifacts_url)
    metrics: dict[str, list[MetricRow]] = defaultdict(list)
    files_of: dict[str, list[Artifact]] = defaultdict(list)
    models: dict[str, list[Model]] = defaultdict(list)
    with database.session() as session:
        for metric in first_rows(session, 0, limit=10_000_000).rows:
            metrics[metric.experiment_id].append(metric)
        for artifact in session.scalars(select(Artifact)):
            files_of[artifact.experiment_id].append(artifact)
        for model in session.scalars(select(Model)):
            models[str(model.experiment_id)].append(model)
        return Outcome(
            experiments={row.id: row for row in session.scalars(select(Experiment))},
            metrics=metrics,
            artifacts=files_of,
            models=models,
            datasets=list(session.scalars(select(Dataset))),
            loose_files=list(session.scalars(select(LooseFiles))),
            root=root,
            files=frozenset(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()),
        )


def check_submissions(outcome: Outcome, accepted: Mapping[str, str]) -> Iterator[str]:
    """Each accepted job has its row, and no job has two."""
    names = Counter(str(row.name) for row in outcome.experiments.values())
    for name, experiment_id in accepted.items():
        if experiment_id not in outcome.experiments:
            yield f"{name} ({experiment_id}) was accepted and has no row"
        if names[name] != 1:
            yield f"{name} has {names[name]} rows"
    for name in names.keys() - accepted.keys():
        yield f"{name} was never submitted"


def check_changes(outcome: Outcome, changes: list[Change]) -> Iterator[str]:
    """Each experiment took allowed ways only, and ended exactly once; no claim's token was used twice."""
    by_experiment: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_experiment[change.experiment_id].append(change)
    for experiment_id, row in outcome.experiments.items():
        mine = by_experiment[experiment_id]
        if Status(row.status) not in FINAL:
            yield f"{experiment_id} is still {row.status}"
        endings = [change.after for change in mine if Status(change.after) in FINAL]
        if endings != [row.status]:
            yield f"{experiment_id} ended {len(endings)} times: {endings}"
        before: str | None = None
        for change in mine:
            allowed = [Status.QUEUED] if before is None else TRANSITIONS[Status(before)]
            if change.before != before or change.after not in allowed:
                yield f"{experiment_id} went from {change.before} to {change.after}, after {before}"
            before = change.after
    tokens = Counter(change.claim_token for change in changes if change.after == Status.RUNNING)
    for token, times in tokens.items():
        if token is None or times > 1:
            yield f"the claim {token} was made {times} times"


def check_endings(outcome: Outcome, max_attempts: int) -> Iterator[str]:
    """Enough succeeded, and all the others were given up for their crashes, with a reason."""
    for row in outcome.experiments.values():
        if row.status == Status.SUCCEEDED:
            continue
        limit = f"given up after {max_attempts}"
        if (
            row.status != Status.FAILED
            or row.crashes != max_attempts
            or limit not in (row.error_message or "")
        ):
            reason = f"{row.error_type}: {row.error_message}"
            yield f"{row.id} is {row.status} after {row.crashes} crashes: {reason}"
    share = len(outcome.succeeded()) / max(1, len(outcome.experiments))
    if share < LEAST_SUCCEEDED:
        yield f"{share:.1%} succeeded, expected at least {LEAST_SUCCEEDED:.0%}"


def check_metrics(outcome: Outcome) -> Iterator[str]:
    """No value is there twice, none is missing, and each is what an undisturbed run leaves."""
    real: dict[int, Values] = {}
    for row in outcome.experiments.values():
        found = outcome.metrics[row.id]
        values: Values = {(m.name, m.step, m.split, m.layer): m.value for m in found}
        if len(values) != len(found):
            yield f"{row.id} has {len(found)} metric rows for {len(values)} values"
        if row.kind == KIND:
            steps = row.config["steps"]
            assert isinstance(steps, int)
            expected: Values = {(METRIC, step, None, None): loss(row.seed, step) for step in range(steps)}
        else:
            values = {key: value for key, value in values.items() if not key[0].startswith("system/")}
            expected = real.setdefault(row.seed, dict(values)) if row.status == Status.SUCCEEDED else {}
        if row.status == Status.SUCCEEDED and values != expected:
            differing = {k for k in values.keys() | expected.keys() if values.get(k) != expected.get(k)}
            yield f"{row.id} ({row.kind}) has other metrics than expected: {sorted(map(str, differing))[:5]}"
        if row.kind == KIND and not values.items() <= expected.items():
            yield f"{row.id} ({row.status}) has metrics that no step made"


def check_results(outcome: Outcome) -> Iterator[str]:
    """What succeeded has its artifacts and model with the right content; what didn't has none."""
    for row in outcome.experiments.values():
        names = sorted(artifact.name for artifact in outcome.artifacts[row.id])
        models = outcome.models[row.id]
        if row.status != Status.SUCCEEDED:
            if names or models:
                yield f"{row.id} is {row.status} and has artifacts {names}, {len(models)} models"
            continue
        if len(models) != 1 or row.model_id != models[0].id or not names:
            yield f"{row.id} succeeded with {len(models)} models and the artifacts {names}"
            continue
        if row.kind == KIND:
            steps = row.config["steps"]
            assert isinstance(steps, int)
            hashes = {name: _sha256(content) for name, content in artifacts(row.seed, steps).items()}
            if {a.name: a.sha256 for a in outcome.artifacts[row.id]} != hashes:
                yield f"{row.id} has artifacts of other content than its seed makes"
            hashes = {name: _sha256(content) for name, content in model_files(row.seed, steps).items()}
            if models[0].files != hashes:
                yield f"{row.id} has a model of other content than its seed makes"


def check_files(outcome: Outcome) -> Iterator[str]:
    """No file without its row, no row without its file, and every file hashes to what its row says."""
    expected = {row.storage_key: row.storage_sha256 for row in outcome.datasets}
    for rows in outcome.artifacts.values():
        expected |= {row.storage_key: row.sha256 for row in rows}
    for models in outcome.models.values():
        for model in models:
            expected |= {f"{model.storage_key}/{name}": str(sha) for name, sha in model.files.items()}
    for row in outcome.experiments.values():
        if row.checkpoint_key is not None:
            expected[row.checkpoint_key] = str(row.checkpoint_sha256)
    for key in sorted(outcome.files - expected.keys()):
        yield f"{key}: a file without a row"
    for key, sha256 in sorted(expected.items()):
        if key not in outcome.files:
            yield f"{key}: a row without a file"
        elif _sha256((outcome.root / key).read_bytes()) != sha256:
            yield f"{key}: not what its row says"
    for loose in outcome.loose_files:
        yield f"{loose.prefix}: still listed as to be deleted"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
