"""Brings a database's schema to this version, by the migrations that ship with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from alembic import command
from db.errors import DatabaseUnavailableError, SchemaError
from db.tables import Base

_LOCK = 0x516_A1E  # one upgrade at a time per database


def upgrade(database_url: str, revision: str = "head") -> None:
    """Apply the migrations that are missing; does nothing when none is. Safe to call from several processes.

    Raises `DatabaseUnavailableError`, and `SchemaError` when the database is newer than this version.
    """
    with _connection(database_url) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _refuse_unknown(connection)
        command.upgrade(_config(connection), revision)


def downgrade(database_url: str, revision: str) -> None:
    """Take migrations back to `revision` (``base``: all of them, with every row)."""
    with _connection(database_url) as connection:
        command.downgrade(_config(connection), revision)


def current(database_url: str) -> str | None:
    """The revision the database is at; None when it is empty."""
    with _connection(database_url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision this version works with."""
    revision = ScriptDirectory(str(_folder())).get_current_head()
    if revision is None:
        raise SchemaError(f"{_folder()}: expected migrations, found none")
    return revision


def check(database_url: str) -> None:
    """Raise `SchemaError` unless the database's schema is the one the tables of this version describe."""
    if (found := current(database_url)) != head():
        raise SchemaError(
            f"database schema: expected revision {head()}, found {found or 'none'}; run `sip db upgrade`"
        )
    with _connection(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        if differences := compare_metadata(context, Base.metadata):
            raise SchemaError(f"database schema: expected that of revision {head()}, found {differences!r}")


def _refuse_unknown(connection: Connection) -> None:
    known = {script.revision for script in ScriptDirectory(str(_folder())).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise SchemaError(
            f"database schema: expected revision {head()} or older, found {found} of a newer version"
        )


@contextmanager
def _connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url, poolclass=NullPool, connect_args={"connect_timeout": 5})
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        raise DatabaseUnavailableError(
            f"the database doesn't answer ({type(error.orig).__name__}); check SIP_DATABASE_URL"
        ) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _folder() -> Path:
    # installed, the migrations are the package db.migrations; in the source tree they lie in alembic/
    here = Path(__file__).parent
    installed = here / "migrations"
    return installed if installed.is_dir() else here.parent / "alembic"
