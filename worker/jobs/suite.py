"""Kind `suite`: a first attempt plans the children, and when all of them are final a second one reports."""

from functools import cache

from pydantic import TypeAdapter

from db import datasets, experiments
from db.needs import NewChild
from db.states import Queue, Status
from db.tables import Experiment, JSONObject
from sip_model.experiments.config import BackboneConfig
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.kinds import KINDS
from sip_model.experiments.planning import PlannedChild, plan_children
from sip_model.experiments.presets import ANALYSES, Blocks
from sip_model.experiments.suite import SuiteConfig
from worker.jobs.context import JobContext
from worker.jobs.reading import catalog_of
from worker.jobs.suite_study import leave_study
from worker.jobs.suite_values import leave_values, read_values
from worker.patience import transact


class NoChildSucceededError(Exception):
    """Not one analysis of a suite has succeeded."""


def run(context: JobContext[SuiteConfig]) -> None:
    """Plan, or report where the children are there."""
    children = transact(
        context.database,
        lambda session: experiments.children(session, context.experiment_id),
        context.settings.lease_seconds,
    )
    planned = _plan(context)
    if children:
        _report(context, children, planned)
    else:
        context.progress("planning", 1, 1, "plans")
        context.wait_for([_new_child(child) for child in planned])


def _plan(context: JobContext[SuiteConfig]) -> list[PlannedChild]:
    suite = context.config.suite
    names = transact(
        context.database,
        lambda session: datasets.names(session, suite.datasets),
        context.settings.lease_seconds,
    )
    # one that was deleted after the children were made: their plan is told by its id
    names = {dataset: names.get(dataset, dataset) for dataset in suite.datasets}
    return plan_children(suite, names, _resolve, _encoders(context))


def _encoders(context: JobContext[SuiteConfig]) -> frozenset[str]:
    catalog = catalog_of(context.settings)
    encoders = set()
    for backbone in context.config.suite.backbones:
        if isinstance(backbone, str):
            info = catalog.check(BackboneConfig(id=backbone))
            if info is not None and not info.is_causal:
                encoders.add(backbone)
    return frozenset(encoders)


@cache
def _adapter(kind: str) -> TypeAdapter[KindConfig]:
    return TypeAdapter(KINDS[kind])


def _resolve(kind: str, blocks: Blocks) -> KindConfig:
    return _adapter(kind).validate_python(blocks)


def _new_child(child: PlannedChild) -> NewChild:
    config: JSONObject = _adapter(child.kind).dump_python(child.config, mode="json")
    return NewChild(
        name=child.name,
        kind=child.kind,
        config=config,
        seed=child.seed,
        dataset_id=child.dataset,
        backbone_id=child.backbone,
        queue=Queue(child.config.queue()),
        needs=child.needs,
        after=child.after,
    )


def _report(
    context: JobContext[SuiteConfig], children: list[Experiment], planned: list[PlannedChild]
) -> None:
    analyses = [child for child in children if child.kind in ANALYSES]
    if all(child.status != Status.SUCCEEDED for child in analyses):
        first = next((child for child in analyses if child.error_message), None)
        reason = f"; the first of them: {first.error_message}" if first is not None else ""
        raise NoChildSucceededError(f"none of {len(analyses)} analyses has succeeded{reason}")
    for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED):
        context.metric(f"suite/{status}", sum(child.status == status for child in children))
    plan = {child.name: child for child in planned}
    values = read_values(context, children, plan)
    leave_study(context, children, plan, values, leave_values(context, children, plan, values))
