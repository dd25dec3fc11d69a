"""A POST that is sent again makes nothing twice: `Idempotency-Key` on the routes that make something."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeVar

import orjson
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.errors import RequestInFlightError, StateConflictError, invalid
from api.keys import Holder
from db import idempotency
from db.errors import NotFoundError
from db.idempotency import RequestKey
from db.session import Database
from db.tables import Dataset, Experiment

Row = TypeVar("Row", Dataset, Experiment)

REPLAYED_HEADER = "Idempotent-Replayed"
RETRY_SECONDS = "1"
HEADERS: dict[str, Any] = {
    "Location": {"description": "Path of what was made.", "schema": {"type": "string"}},
    REPLAYED_HEADER: {
        "description": "`true`: this was made by an earlier request with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
"""Response headers of the routes that take a key, for the OpenAPI document."""


def _request_key(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[!-~]{1,255}$",
            description="1 to 255 visible ASCII characters of your own, new for everything you want made. "
            "Sent again within 24 hours with the same body, the answer is what was made the first time, with "
            f"`{REPLAYED_HEADER}: true`; with another body it is 422, and 409 while the first is being "
            "worked on.",
            examples=["0b4d6f0e-6b0c-4e0a-9a55-5c3f4f7c3c1e"],
        ),
    ] = None,
) -> RequestKey | None:
    holder: Holder | None = getattr(request.state, "holder", None)
    return None if key is None else RequestKey("" if holder is None else holder.key_id, key)


RequestKeyDep = Annotated[RequestKey | None, Depends(_request_key)]


class Wish(NamedTuple):
    """What a request asks for, so that two can be told apart."""

    key: RequestKey | None
    fingerprint: str
    """SHA-256 of it, in hexadecimal digits."""

    @classmethod
    def of(cls, key: RequestKey | None, *parts: str | BaseModel) -> "Wish":
        """The wish that the route and the validated request make up."""
        plain = [part if isinstance(part, str) else part.model_dump(mode="json") for part in parts]
        return cls(key, hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest())


def make_once(
    database: Database, wish: Wish, make: Callable[[Session], Row], get: Callable[[Session, str], Row]
) -> tuple[Row, bool]:
    """Commit what `make` makes, unless this wish's key has made it before; and whether it had.

    Args:
        make: makes it within the transaction it is given.
        get: finds it again by its id.

    Raises:
        RequestInFlightError: another request with this key isn't through yet.
        InvalidRequestError: the key was used for something else.
        StateConflictError: what the key has made was deleted.
    """
    with database.session() as session:
        if wish.key is None:
            return make(session), False
        if not idempotency.lock(session, wish.key):
            raise RequestInFlightError(
                "The first request with this Idempotency-Key is still being worked on.",
                headers={"Retry-After": RETRY_SECONDS},
            )
        before = idempotency.find(session, wish.key)
        if before is None:
            row = make(session)
            idempotency.remember(session, wish.key, wish.fingerprint, row.id)
            return row, False
        if before.fingerprint != wish.fingerprint:
            raise invalid(
                ("header", "Idempotency-Key"),
                "a key that is new, or the request it was used for",
                "one used for another request",
                "Send a new key.",
            )
        try:
            return get(session, before.resource_id), True
        except NotFoundError:
            raise StateConflictError(
                "What this Idempotency-Key has made was deleted. Send a new key to make it again."
            ) from None


def answer_with(response: Response, location: str, *, replayed: bool) -> None:
    """Set the headers of `HEADERS`."""
    response.headers["Location"] = location
    if replayed:
        response.headers[REPLAYED_HEADER] = "true"
