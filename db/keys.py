"""API keys: only their HMAC is kept, so whoever reads the database can't use them."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.tables import ApiKey

_PREFIX = "sip_"
_NUM_BYTES = 32
_SHAPE = re.compile(r"sip_[A-Za-z0-9_-]{43}")
_TOUCH_INTERVAL = timedelta(minutes=1)


class Scope(StrEnum):
    """What a key may do; each allows what those before it do."""

    READ = "read"
    """Look at what is its owner's, classify and embed."""
    WRITE = "write"
    """Add and delete datasets and experiments."""
    ADMIN = "admin"
    """Look at everything, choose the default model, delete models."""

    def allows(self, needed: "Scope") -> bool:
        """Whether a key of this scope may do what needs `needed`."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only time its secret is known."""

    id: str
    secret: str = field(repr=False)
    """``sip_`` and 256 random bits; what the client sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a new key is given besides its scopes."""

    shares_with: str | None = None
    """Id of the key whose rows it sees and adds to; None: it begins with none."""
    requests_per_minute: int | None = None
    """None: as many as the settings say; so below."""
    texts_per_day: int | None = None


def looks_like_key(text: str) -> bool:
    """Whether `text` has the form of a key, so that nothing else is looked up."""
    return _SHAPE.fullmatch(text) is not None


def digest_of(server_secret: bytes, secret: str) -> str:
    """HMAC-SHA256 of a key under the server's secret, in hexadecimal digits."""
    return hmac.digest(server_secret, secret.encode(), hashlib.sha256).hex()


def create(
    session: Session,
    server_secret: bytes,
    name: str,
    scopes: Sequence[Scope],
    expires_in: timedelta | None = None,
    terms: "Terms | None" = None,
) -> NewKey:
    """Make a key; `expires_in` None: it never expires. `NotFoundError`: there is none to share with."""
    terms = terms or Terms()
    new = NewKey(new_id("key"), _new_secret())
    row = ApiKey(
        id=new.id,
        name=name,
        digest=digest_of(server_secret, new.secret),
        scopes=[str(scope) for scope in scopes],
        owner=new.id if terms.shares_with is None else _locked(session, terms.shares_with).owner,
        requests_per_minute=terms.requests_per_minute,
        texts_per_day=terms.texts_per_day,
    )
    if expires_in is not None:
        row.expires_at = session.scalars(select(func.now())).one() + expires_in
    session.add(row)
    session.flush()
    return new


def find(session: Session, digest: str) -> ApiKey | None:
    """The live key of this digest; notes, once a minute, that it was used."""
    row = session.scalar(select(ApiKey).where(ApiKey.digest == digest, *_IS_LIVE))
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    session.execute(
        update(ApiKey)
        .where(ApiKey.id == row.id)
        .where(or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - _TOUCH_INTERVAL))
        .values(last_used_at=func.now()),
        execution_options={"synchronize_session": False},
    )
    return row


def has_live(session: Session, scope: Scope = Scope.READ) -> bool:
    """Whether a key that may do what needs `scope` is neither revoked nor expired."""
    rows = session.scalars(select(ApiKey).where(*_IS_LIVE))
    return any(widest(row.scopes).allows(scope) for row in rows)


def widest(scopes: Sequence[str]) -> Scope:
    """The scope that allows what all `scopes` (at least one) allow."""
    return max((Scope(scope) for scope in scopes), key=list(Scope).index)


def is_admin(session: Session, key_id: str) -> bool:
    """Whether there is a key of this id that may do everything."""
    row = session.get(ApiKey, key_id)
    return row is not None and widest(row.scopes) is Scope.ADMIN


def every(session: Session) -> Sequence[ApiKey]:
    """All keys, also the revoked, by age."""
    return session.scalars(select(ApiKey).order_by(ApiKey.id)).all()


def database_time(session: Session) -> datetime:
    """The time by which keys expire."""
    return session.scalars(select(func.now())).one()


def revoke(session: Session, key_id: str) -> None:
    """End a key for good; revoking it again changes nothing. `NotFoundError`."""
    row = _locked(session, key_id)
    if row.revoked_at is None:
        row.revoked_at = database_time(session)


def rotate(session: Session, server_secret: bytes, key_id: str) -> NewKey:
    """Give a key a new secret; the old one is no key any more. Id, name, scopes and expiry stay.

    Raises `NotFoundError`, and `ConflictError` for a key that is revoked or expired.
    """
    row = _locked(session, key_id)
    if row.revoked_at is not None or (
        row.expires_at is not None and row.expires_at <= database_time(session)
    ):
        raise ConflictError("the key is revoked or expired; create another one")
    new = NewKey(row.id, _new_secret())
    row.digest = digest_of(server_secret, new.secret)
    row.last_used_at = None
    session.flush()
    return new


_IS_LIVE = (ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()))


def _new_secret() -> str:
    return _PREFIX + secrets.token_urlsafe(_NUM_BYTES)


def _locked(session: Session, key_id: str) -> ApiKey:
    row = session.get(ApiKey, key_id, with_for_update=True)
    if row is None:
        raise NotFoundError("key", key_id)
    return row
