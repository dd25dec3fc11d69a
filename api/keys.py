"""API keys at the door: who may come in is settled before anything of the body is read."""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_handlers import RETRY_SECONDS, problem_response
from api.errors import ApiError, ForbiddenError, UnauthorizedError, UnavailableError
from api.loopback import is_loopback
from api.quotas import Limits, Quotas
from db import keys
from db.errors import DatabaseUnavailableError
from db.keys import Scope as KeyScope
from db.owners import Viewer
from db.session import Database
from db.settings import Settings

CACHE_SECONDS = 5.0
"""A key that was found needn't be looked up again for so long; a revoked one works as long at most."""
MAX_CACHED = 1024
OPEN_PATHS = re.compile(r"/(|web/.*|health/\w+|prometheus|docs(/[\w.-]+)?|openapi\.json|problems/[^/]+)")
READING_POSTS = frozenset({"/classify", "/embed", "/v1/embeddings"})
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


class Holder(NamedTuple):
    """A live key that came with a request."""

    key_id: str
    scope: KeyScope
    owner: str
    """Whose rows it sees and adds to."""
    limits: Limits

    @property
    def viewer(self) -> Viewer:
        """What it sees: what is its owner's; with scope admin everything."""
        return Viewer(self.owner, sees_all=self.scope is KeyScope.ADMIN)


class KeyRing:
    """Tells keys from anything else, by the database's word or its own memory of a few seconds.

    Args:
        secret: what the keys are hashed under.
        clock: seconds, monotonic.
    """

    def __init__(
        self, database: Database, secret: bytes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock
        self._found: dict[str, tuple[Holder, float]] = {}

    def holder(self, token: str) -> Holder | None:
        """The key that `token` is; None when it is none, revoked or expired.

        Raises `DatabaseUnavailableError` when it isn't remembered and can't be looked up.
        """
        if not keys.looks_like_key(token):
            return None
        digest = keys.digest_of(self._secret, token)
        holder, until = self._found.get(digest, (None, 0.0))
        if holder is not None and self._clock() < until:
            return holder
        looked_at = self._clock()
        with self._database.session() as session:
            row = keys.find(session, digest)
        if row is None:
            self._found.pop(digest, None)
            return None
        if len(self._found) >= MAX_CACHED:
            self._found.clear()
        limits = Limits(row.requests_per_minute, row.texts_per_day)
        holder = Holder(row.id, keys.widest(row.scopes), row.owner, limits)
        self._found[digest] = holder, looked_at + CACHE_SECONDS
        return holder


def asks_for_keys(settings: Settings) -> bool:
    """Whether requests need a key; the settings alone decide, not what keys there are."""
    return settings.require_keys or not (is_loopback(settings.host) or settings.allow_anyone)


def scope_needed(method: str, path: str) -> KeyScope | None:
    """The scope that a request needs; None: no key at all. What isn't known needs more, not less."""
    if OPEN_PATHS.fullmatch(path):
        return None
    if method in READING_METHODS or (method == "POST" and path in READING_POSTS):
        return KeyScope.READ
    # all that changes a model that is there already: which is the default, and whether it stays
    return KeyScope.ADMIN if path.startswith("/models/") else KeyScope.WRITE


class KeyMiddleware:
    """Answers 401 without a live key, 403 with one whose scopes don't reach and 429 with one that asks for
    too much; else notes whose it is.

    ``scope["state"]["holder"]`` is the `Holder` from here on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        needed = scope_needed(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if needed is None:
            await self.app(scope, receive, send)
            return
        try:
            scope["state"]["holder"] = await self._admitted(scope, needed)
        except ApiError as error:
            answer = problem_response(error, scope["state"].get("request_id"), scope["path"])
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _admitted(self, scope: Scope, needed: KeyScope) -> Holder:
        bearer = _BEARER.fullmatch(Headers(scope=scope).get("authorization", ""))
        if bearer is None:
            raise _unauthorized("Authorization: expected Bearer and a key (sip_…); found none.", "")
        services = scope["app"].state.services
        try:
            return await run_in_threadpool(_let_in, services.keys, services.quotas, bearer.group(1), needed)
        except DatabaseUnavailableError:
            raise UnavailableError(
                "The key can't be looked up: the database can't be reached; try again in a moment.",
                headers={"Retry-After": RETRY_SECONDS},
            ) from None


def _let_in(ring: KeyRing, quotas: Quotas, token: str, needed: KeyScope) -> Holder:
    holder = ring.holder(token)
    if holder is None:
        raise _unauthorized(
            "Authorization: expected a live key; found one that is unknown, revoked or expired. "
            "`sip keys create` makes one.",
            ' error="invalid_token"',
        )
    quotas.admit(holder)
    if not holder.scope.allows(needed):
        raise ForbiddenError(
            f"The key's scope: expected {needed} for this; found {holder.scope}.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'},
        )
    return holder


def _unauthorized(detail: str, parameters: str) -> UnauthorizedError:
    return UnauthorizedError(detail, headers={"WWW-Authenticate": f"Bearer{parameters}"})
