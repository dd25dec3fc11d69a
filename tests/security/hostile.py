"""One entry of the hostile-input catalogue."""

from dataclasses import dataclass, field
from typing import Any

MARK = "do-not-repeat-me"
"""Stands in what is sent and must stand in no answer."""
JSON_TYPE = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@dataclass(frozen=True)
class Hostile:
    """One request."""

    name: str
    status: int
    method: str
    path: str
    """May name what Ann owns: ``{dataset}``."""
    who: str = "ann"
    request: dict[str, Any] = field(default_factory=dict)
