"""Experiments that wait for others: who needs whom, and what becomes of them when those end.

A parent waits for its children; a child may need other children of the same parent. Whoever locks several
rows of a family takes the children in the order of their ids, then the parent: ids follow the plan, in which
a child comes after those it needs, so two transactions never wait for each other.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import counters, datasets, log_lines, notices
from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.log_lines import Level
from db.owners import is_seen
from db.states import FINAL, Queue, Status, move
from db.tables import JSON, Experiment, ExperimentNeed, JSONObject

NEED_FAILED = "NeedFailed"
"""Type of the error of an experiment that could not begin."""
MADE_BY = "exp:"
"""Before an experiment's id: stands in a configuration for the backbone which that experiment makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChild:
    """A child to insert, its configuration resolved."""

    name: str
    """Unique among its parent's children."""
    kind: str
    config: JSONObject
    """``exp:<name>`` of a child it needs stands for the backbone which that one makes."""
    seed: int
    dataset_id: str | None
    backbone_id: str | None
    queue: Queue
    needs: tuple[str, ...] = ()
    """Names of children before it that must have succeeded."""
    after: tuple[str, ...] = ()
    """Names of children before it that must be final, whatever became of them."""


class _Need(NamedTuple):
    id: str
    name: str | None
    status: Status
    backbone_id: str | None
    must_succeed: bool


def add_children(session: Session, parent: Experiment, children: Sequence[NewChild]) -> None:
    """Insert children, queued or waiting, and let the parent need them all.

    Raises `ConflictError` when a dataset was deleted meanwhile, or a child of such a name exists.
    """
    now = time.time()
    # one millisecond apart, so that the order of their ids is the plan's
    ids = {child.name: new_id("exp", now + place / 1000) for place, child in enumerate(children)}
    made = {MADE_BY + name: MADE_BY + child_id for name, child_id in ids.items()}
    needs = [
        {"experiment_id": ids[child.name], "needs_id": ids[name], "must_succeed": must_succeed}
        for child in children
        for names, must_succeed in ((child.needs, True), (child.after, False))
        for name in names
    ]
    waiting = {need["experiment_id"] for need in needs}
    rows = [
        Experiment(
            id=ids[child.name],
            owner=parent.owner,
            kind=child.kind,
            name=child.name,
            dataset_id=child.dataset_id,
            backbone_id=made.get(child.backbone_id or "", child.backbone_id),
            config=_replaced(child.config, made),
            seed=child.seed,
            parent_id=parent.id,
            queue=child.queue,
            request_id=parent.request_id,
            status=Status.WAITING if ids[child.name] in waiting else Status.QUEUED,
        )
        for child in children
    ]
    session.add_all(rows)
    try:
        session.flush()
    except IntegrityError as error:
        raise ConflictError(
            "a dataset it names was deleted meanwhile, or it has children of these names already"
        ) from error
    needs += [
        {"experiment_id": parent.id, "needs_id": child_id, "must_succeed": False} for child_id in ids.values()
    ]
    session.execute(insert(ExperimentNeed), needs)
    log_lines.note_each(session, [(row, f"accepted as a part of {parent.id}") for row in rows])
    parent.phase, parent.done, parent.total, parent.unit = "children", 0, len(children), "experiments"
    parent.eta_seconds = None


def lock_family(session: Session, experiment_id: str) -> list[Experiment]:
    """Hold an experiment and its children as they are until the end; it comes last. `NotFoundError`."""
    belongs = and_(
        or_(Experiment.id == experiment_id, Experiment.parent_id == experiment_id),
        is_seen(session, Experiment),
    )
    while True:
        savepoint = session.begin_nested()
        rows = _locked(session, belongs)
        if not rows or rows[-1].id != experiment_id:
            raise NotFoundError("experiment", experiment_id)
        # children made while this waited for the parent are seen only now
        if session.scalar(select(func.count()).select_from(Experiment).where(belongs)) == len(rows):
            savepoint.commit()
            return rows
        savepoint.rollback()


def ended(session: Session, rows: Sequence[Experiment]) -> None:
    """Carry on from experiments that this transaction has just made final.

    Those that wait for them are queued when all they need is final, and fail when one that must succeed
    didn't; then all that became final is made known and counted. Nothing may be locked after it.
    """
    session.flush()
    final = [*rows, *_settle(session, rows)]
    session.flush()
    for row in final:
        datasets.fail_import(session, row)
        notices.notify(session, row.id)
    # in one order, for each holds its counter's lock from here on
    for kind, status in sorted((row.kind, Status(row.status)) for row in final):
        counters.count_finished(session, kind, status)


def begin_again(session: Session, rows: Sequence[Experiment]) -> None:
    """Queue failed or cancelled experiments of one family, or let them wait for what they need.

    Args:
        rows: locked, in the order of `lock_family`.

    Raises `ConflictError` when one needs another that has failed and isn't among them.
    """
    now = session.scalars(select(func.now())).one()
    for row in rows:
        row.status = move(row.status, Status.WAITING)
        row.crashes = 0
        row.error_type = row.error_message = None
        row.phase = row.done = row.total = row.unit = row.eta_seconds = None
        row.finished_at = None
    log_lines.note_each(session, [(row, "tried again") for row in rows])
    failed = _advance(session, rows)
    if failed:
        raise ConflictError(f"{failed[0].error_message}; try its parent again, which tries all of them")
    for row in rows:
        row.queued_at, row.published_at = now, None
    session.flush()


def _settle(session: Session, rows: Sequence[Experiment]) -> list[Experiment]:
    """Move on what waits for `rows`, and what waits for that; returns what has failed with them."""
    if all(row.parent_id is None for row in rows):
        return []  # only children are needed by others
    dependents = (
        select(ExperimentNeed.experiment_id)
        .where(ExperimentNeed.needs_id.in_([row.id for row in rows]))
        .cte("dependents", recursive=True)
    )
    dependents = dependents.union(
        select(ExperimentNeed.experiment_id).join(
            dependents, ExperimentNeed.needs_id == dependents.c.experiment_id
        )
    )
    affected = Experiment.id.in_(select(dependents.c.experiment_id))
    return _advance(session, _locked(session, affected, Experiment.status == Status.WAITING))


def _advance(session: Session, waiting: Sequence[Experiment]) -> list[Experiment]:
    """Queue or fail those that can be; returns the failed.

    Args:
        waiting: locked, each after those it needs.
    """
    failed: list[Experiment] = []
    if not waiting:
        return failed
    needs, now = _needs_of(session, waiting), session.scalars(select(func.now())).one()
    changed = {row.id: row for row in waiting}
    for row in waiting:
        mine = [
            need._replace(status=Status(changed[need.id].status)) if need.id in changed else need
            for need in needs[row.id]
        ]
        final = [need for need in mine if need.status in FINAL]
        lacking = [need for need in final if need.must_succeed and need.status != Status.SUCCEEDED]
        if row.parent_id is None and mine:
            row.phase, row.done, row.total, row.unit = "children", len(final), len(mine), "experiments"
        if lacking:
            row.status, row.finished_at = move(row.status, Status.FAILED), now
            row.error_type = NEED_FAILED
            row.error_message = f"it needs {lacking[0].name} ({lacking[0].id}), which {_ending(lacking[0])}"
            log_lines.note(session, row, f"failed: {row.error_message}", Level.ERROR)
            failed.append(row)
        elif len(final) == len(mine):
            row.status = move(row.status, Status.QUEUED)
            row.queued_at, row.published_at = now, None
            made = {MADE_BY + need.id: need.backbone_id for need in mine if need.backbone_id is not None}
            row.config = _replaced(row.config, made)
            row.backbone_id = made.get(row.backbone_id or "", row.backbone_id)
            log_lines.note(session, row, "queued: what it waited for is final" if mine else row.status)
    return failed


def _needs_of(session: Session, rows: Iterable[Experiment]) -> dict[str, list[_Need]]:
    found: dict[str, list[_Need]] = {row.id: [] for row in rows}
    statement = (
        select(
            ExperimentNeed.experiment_id,
            Experiment.id,
            Experiment.name,
            Experiment.status,
            Experiment.backbone_id,
            ExperimentNeed.must_succeed,
        )
        .join(Experiment, Experiment.id == ExperimentNeed.needs_id)
        .where(ExperimentNeed.experiment_id.in_(found))
        .order_by(Experiment.id)
    )
    for experiment_id, needs_id, name, status, backbone_id, must_succeed in session.execute(statement):
        found[experiment_id].append(_Need(needs_id, name, Status(status), backbone_id, must_succeed))
    return found


def _locked(session: Session, *conditions: ColumnElement[bool]) -> list[Experiment]:
    statement = (
        select(Experiment)
        .where(*conditions)
        .order_by(Experiment.parent_id.is_(None), Experiment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def _ending(need: _Need) -> str:
    return "was cancelled" if need.status == Status.CANCELLED else "has failed"


def _replaced(value: JSONObject, names: dict[str, str]) -> JSONObject:
    """`value` with every text that is a key of `names` replaced."""
    return {key: _replaced_anywhere(inner, names) for key, inner in value.items()}


def _replaced_anywhere(value: JSON, names: dict[str, str]) -> JSON:
    match value:
        case str():
            return names.get(value, value)
        case list() | tuple():
            return [_replaced_anywhere(inner, names) for inner in value]
        case dict():
            return _replaced(value, names)
        case _:
            return value
