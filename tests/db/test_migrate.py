"""The migrations and the tables describe the same schema."""

import pytest
from sqlalchemy import create_engine, text

from db import migrate
from db.errors import DatabaseUnavailableError, SchemaError


def test_a_migrated_database_has_exactly_the_tables_of_this_version(database_url: str) -> None:
    migrate.check(database_url)
    assert migrate.current(database_url) == migrate.head()


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    migrate.upgrade(database_url)
    migrate.check(database_url)


def test_every_migration_can_be_taken_back_and_applied_again(database_url: str) -> None:
    migrate.downgrade(database_url, "base")
    assert migrate.current(database_url) is None
    migrate.upgrade(database_url)
    migrate.check(database_url)


def test_an_empty_database_is_refused_with_what_to_do(empty_database_url: str) -> None:
    with pytest.raises(SchemaError, match="sip db upgrade"):
        migrate.check(empty_database_url)


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaError, match="newer version"):
        migrate.upgrade(database_url)


def test_a_database_that_is_away_is_named_as_such() -> None:
    with pytest.raises(DatabaseUnavailableError, match="SIP_DATABASE_URL"):
        migrate.upgrade("postgresql+psycopg://sip@127.0.0.1:1/sip")
