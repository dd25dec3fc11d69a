"""API keys in the database."""

from datetime import timedelta

import pytest
from sqlalchemy import func, text, update

from db import keys
from db.errors import ConflictError, NotFoundError
from db.keys import NewKey, Scope
from db.session import Database
from db.tables import ApiKey

SECRET = b"the server's own"


def create(
    database: Database, scopes: tuple[Scope, ...] = (Scope.READ,), expires_in: timedelta | None = None
) -> NewKey:
    with database.session() as session:
        return keys.create(session, SECRET, "ci", scopes, expires_in)


def found(database: Database, secret: str, server_secret: bytes = SECRET) -> str | None:
    with database.session() as session:
        row = keys.find(session, keys.digest_of(server_secret, secret))
    return None if row is None else row.id


def test_a_key_is_found_by_its_secret_alone(database: Database) -> None:
    new = create(database)
    assert new.id.startswith("key_")
    assert found(database, new.secret) == new.id
    assert found(database, "sip_" + "A" * 43) is None
    assert found(database, new.secret, b"another server's") is None


def test_keys_have_their_form_and_are_never_the_same(database: Database) -> None:
    secrets = {create(database).secret for _ in range(20)}
    assert len(secrets) == 20
    assert all(keys.looks_like_key(secret) and len(secret) == 47 for secret in secrets)
    assert not any(
        map(keys.looks_like_key, ("", "sip_", "sip_" + "A" * 42, "sip_" + "A" * 43 + "\n", "é" * 47))
    )


def test_the_secret_is_neither_stored_nor_shown(database: Database) -> None:
    new = create(database)
    assert new.secret not in repr(new)
    with database.session() as session:
        stored = session.scalar(text("SELECT string_agg(api_keys::text, ' ') FROM api_keys"))
    assert new.id in stored
    assert new.secret not in stored
    assert new.secret.removeprefix("sip_") not in stored


def test_a_revoked_key_is_no_key(database: Database) -> None:
    new = create(database)
    for _ in range(2):
        with database.session() as session:
            keys.revoke(session, new.id)
    assert found(database, new.secret) is None
    with database.session() as session, pytest.raises(ConflictError):
        keys.rotate(session, SECRET, new.id)
    with database.session() as session, pytest.raises(NotFoundError):
        keys.revoke(session, "key_none")


def test_an_expired_key_is_no_key(database: Database) -> None:
    new = create(database, expires_in=timedelta(days=1))
    assert found(database, new.secret) == new.id
    with database.session() as session:
        session.execute(update(ApiKey).values(expires_at=func.now()))
    assert found(database, new.secret) is None
    with database.session() as session, pytest.raises(ConflictError):
        keys.rotate(session, SECRET, new.id)


def test_a_rotated_key_keeps_its_id_and_loses_its_old_secret(database: Database) -> None:
    old = create(database)
    with database.session() as session:
        new = keys.rotate(session, SECRET, old.id)
    assert new.id == old.id
    assert (found(database, old.secret), found(database, new.secret)) == (None, new.id)


def test_the_last_use_is_noted_once_a_minute(database: Database) -> None:
    new = create(database)

    def last_used_after(seconds: int) -> bool:
        """Whether a use so long after the last one is noted."""
        with database.session() as session:
            before = func.now() - timedelta(seconds=seconds)
            session.execute(update(ApiKey).values(last_used_at=before))
            noted = session.get_one(ApiKey, new.id).last_used_at
        assert found(database, new.secret)
        with database.session() as session:
            return session.get_one(ApiKey, new.id).last_used_at != noted

    assert found(database, new.secret)
    with database.session() as session:
        assert session.get_one(ApiKey, new.id).last_used_at is not None
    assert not last_used_after(50)
    assert last_used_after(70)


def test_scopes_allow_what_is_below_them(database: Database) -> None:
    assert [[mine.allows(needed) for needed in Scope] for mine in Scope] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    new = create(database, (Scope.WRITE, Scope.READ))
    with database.session() as session:
        assert keys.has_live(session, Scope.WRITE)
        assert not keys.has_live(session, Scope.ADMIN)
        keys.revoke(session, new.id)
        assert not keys.has_live(session)
