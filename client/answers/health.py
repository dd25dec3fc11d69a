"""How the service is."""

from typing import Literal, NotRequired, TypedDict


class Check(TypedDict):
    """One part of the service: its database, its broker, …"""

    status: str
    detail: NotRequired[str | None]


class Health(TypedDict):
    """Answer of `GET /health/ready`."""

    status: Literal["ok", "degraded", "down"]
    checks: NotRequired[dict[str, Check]]
