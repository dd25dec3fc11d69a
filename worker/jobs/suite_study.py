"""A suite's children as the study that its report is made of."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.orm import Session

from db import datasets, experiments
from db.errors import StorageError
from db.states import Status
from db.tables import Dataset, Experiment
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.errors import BackboneError
from sip_model.experiments.config import BackboneConfig
from sip_model.experiments.suite import PretrainedBackbone, SuiteConfig
from sip_model.figures.report import build_report
from sip_model.figures.rows import Value
from sip_model.figures.study import BackboneInfo, Child, Coordinates, DatasetInfo, Study
from worker.jobs.context import JobContext
from worker.jobs.reading import catalog_of
from worker.jobs.suite_values import Measured, Plan, shown_backbone, varied
from worker.patience import transact

LIBRARIES = ("source-identification", "torch", "transformers", "tokenizers", "scikit-learn", "numpy")
COORDINATES = "coordinates.parquet"


def leave_study(
    context: JobContext[SuiteConfig],
    children: Sequence[Experiment],
    plan: Plan,
    measured: Sequence[Measured],
    beside: Sequence[str],
) -> None:
    """Leave ``report.html`` and its figures.

    Args:
        children: all of the suite's, each final.
        plan: what they were planned as.
        measured: all their values.
        beside: names of further files that the report links to.
    """
    folder = context.scratch / "report"
    folder.mkdir()
    known = _Known.of(context, children, plan)
    study = Study(
        title=context.name or f"Suite {context.config.suite.preset or 'of experiments'}",
        preset=context.config.suite.preset,
        experiment=context.experiment_id,
        config=_resolved(context),
        children=[known.child(child) for child in children],
        rows=[known.value(value) for value in measured],
        coordinates=list(known.coordinates(context)),
        backbones=known.backbones(),
        datasets=known.datasets,
        versions={name: version(name) for name in LIBRARIES},
        hardware=_hardware(context.device),
        artifacts=beside,
    )
    for file in build_report(study, folder):
        context.artifact(file.name, file.path, file.media_type)


class _Known:
    """What the database and the catalogue say of a suite's children."""

    def __init__(
        self,
        children: Sequence[Experiment],
        plan: Plan,
        infos: dict[str, BackboneInfo],
        rows: dict[str, Dataset],
        files: dict[str, list[str]],
    ) -> None:
        self._children = children
        self._plan = plan
        self._infos = infos
        self._names = {id: row.name for id, row in rows.items()}
        self._files = files
        self.datasets = [
            DatasetInfo(
                name=row.name,
                sha256=row.sha256,
                num_documents=row.num_documents,
                num_sources=row.num_sources,
            )
            for row in rows.values()
        ]

    @classmethod
    def of(cls, context: JobContext[SuiteConfig], children: Sequence[Experiment], plan: Plan) -> "_Known":
        """Ask for all of it."""
        catalog, infos = catalog_of(context.settings), {}
        for child in children:
            name, id = shown_backbone(child, plan), child.backbone_id
            if name is not None and id is not None and name not in infos:
                infos[name] = _info(catalog, name, id, context.config)
        used = sorted({child.dataset_id for child in children if child.dataset_id})

        def look(session: Session) -> "_Known":
            rows = [datasets.get(session, dataset_id) for dataset_id in used]
            files = experiments.artifacts(session, [child.id for child in children])
            return cls(
                children,
                plan,
                infos,
                {row.id: row for row in rows},
                {experiment: [row.name for row in found] for experiment, found in files.items()},
            )

        return transact(context.database, look, context.settings.lease_seconds)

    def backbones(self) -> list[BackboneInfo]:
        """The backbones, small ones first."""
        return sorted(self._infos.values(), key=lambda info: (info.num_parameters or 0, info.name))

    def child(self, child: Experiment) -> Child:
        """A child as the report shows it."""
        return Child(
            experiment=child.id,
            kind=child.kind,
            backbone=shown_backbone(child, self._plan),
            dataset=self._names.get(child.dataset_id or ""),
            seed=child.seed,
            status=child.status,
            error=child.error_message,
            num_parameters=self._size(child),
            varied=tuple(sorted(varied(child, self._plan).items())),
            artifacts=tuple(self._files[child.id]),
        )

    def value(self, measured: Measured) -> Value:
        """A value as figures read it."""
        info = self._infos.get(measured.backbone or "")
        return Value(
            name=measured.name,
            value=float("nan") if measured.value is None else measured.value,
            backbone=measured.backbone,
            num_parameters=None if info is None else info.num_parameters,
            dataset=measured.dataset,
            seed=measured.seed,
            layer=measured.layer,
            step=measured.step,
            split=measured.split,
            kind=measured.kind,
            varied=tuple(sorted(measured.varied.items())),
        )

    def coordinates(self, context: JobContext[SuiteConfig]) -> Iterable[Coordinates]:
        """The low-dimensional distributions that children have left."""
        for child in self._children:
            backbone, dataset = shown_backbone(child, self._plan), self._names.get(child.dataset_id or "")
            if child.status != Status.SUCCEEDED or COORDINATES not in self._files[child.id]:
                continue
            if backbone is not None and dataset is not None and not varied(child, self._plan):
                path = context.artifact_of(child.id, COORDINATES)
                yield Coordinates(
                    backbone=backbone,
                    dataset=dataset,
                    seed=child.seed,
                    path=path,
                    num_parameters=self._size(child),
                )

    def _size(self, child: Experiment) -> int | None:
        info = self._infos.get(shown_backbone(child, self._plan) or "")
        return None if info is None else info.num_parameters


def _info(catalog: BackboneCatalog, name: str, id: str, config: SuiteConfig) -> BackboneInfo:
    """What is known of a backbone; nothing but its name where it isn't here (any more)."""
    own = {entry.label for entry in config.suite.backbones if isinstance(entry, PretrainedBackbone)}
    seeds = config.suite.seeds if name in own else ()
    try:
        info = catalog.check(BackboneConfig(id=id))
        size = None if info is None else catalog.num_parameters(id, info.revision)
    except (BackboneError, StorageError):
        info = size = None
    return BackboneInfo(
        name=name,
        num_parameters=size,
        causal=None if info is None else info.is_causal,
        pretraining_seeds=seeds,
        revision=None if info is None or seeds else info.revision[:12],
    )


def _resolved(context: JobContext[SuiteConfig]) -> dict[str, object]:
    row = transact(
        context.database,
        lambda session: experiments.get(session, context.experiment_id).config,
        context.settings.lease_seconds,
    )
    return dict(row)


def _hardware(device: str) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "Device": device,
        "Processor": _processor(),
        "Cores": str(len(os.sched_getaffinity(0))),
        "Memory": f"{memory / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
