"""Whose rows a session sees: all there are, or those of one owner.

An owner is named by the id of an API key; what is made without a key is owned by nobody, whose name is empty.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import Session

from db.tables import Backbone, Dataset, Experiment, Model

_VIEWER = "viewer"

Owned = type[Dataset] | type[Experiment] | type[Model] | type[Backbone]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks."""

    owner: str = ""
    """Owns what is added."""
    sees_all: bool = True
    """Whether rows of other owners are there too."""


EVERYTHING = Viewer()
"""The service itself, and whoever meets it where no key is asked for."""


def session_info(viewer: Viewer) -> dict[str, Viewer]:
    """What a session that sees for `viewer` carries as its `info`."""
    return {_VIEWER: viewer}


def viewer_of(session: Session) -> Viewer:
    """Who looks through this session."""
    viewer: Viewer = session.info.get(_VIEWER, EVERYTHING)
    return viewer


def is_seen(session: Session, table: Owned) -> ColumnElement[bool]:
    """Whether a row is there for whoever looks; every look-up by a caller's word asks for it."""
    viewer = viewer_of(session)
    return true() if viewer.sees_all else table.owner == viewer.owner


def is_own(session: Session, table: Owned) -> ColumnElement[bool]:
    """Whether a row belongs to whoever looks; names are unique among these."""
    return table.owner == viewer_of(session).owner
