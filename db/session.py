"""Sessions: the one place that commits, rolls back and says that the database is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

from psycopg.errors import IdleInTransactionSessionTimeout
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import InterfaceError, InternalError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from db.connection import CONNECTION_OPTIONS, ImpatientConnection
from db.errors import DatabaseUnavailableError
from db.owners import EVERYTHING, Viewer, session_info

_POOL_WAIT_SECONDS = 5


class Database:
    """Connections to one PostgreSQL database; made once per process, connected when first used.

    Args:
        url: ``postgresql+psycopg://…``.
        pool_size: connections kept open; as many again are opened under load.
    """

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self._engine = create_engine(
            url,
            connect_args=CONNECTION_OPTIONS,
            # an idle connection is asked before it is used; one that fails takes all the others with it
            pool_pre_ping=True,
            # errors that are logged must not hold values
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=_POOL_WAIT_SECONDS,
        )
        event.listen(self._engine, "do_connect", _connect)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self.viewer = EVERYTHING

    def seen_by(self, viewer: Viewer) -> "Database":
        """The same connections; sessions see what `viewer` may see, and what they add belongs to it."""
        view = copy(self)
        view.viewer = viewer
        return view

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Rows stay readable after the block. Raises `DatabaseUnavailableError` when the database can't be
        reached, cut the connection, or a lock or statement took too long.
        """
        session = self._sessions(info=session_info(self.viewer))
        try:
            with session.begin():
                yield session
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            raise DatabaseUnavailableError(_describe(error)) from error
        except InternalError as error:
            # the server's word for a connection it has cut because nothing came in time
            if not isinstance(error.orig, IdleInTransactionSessionTimeout):
                raise
            raise DatabaseUnavailableError(_describe(error)) from error
        finally:
            session.close()

    def ping(self) -> None:
        """Ask the database for an answer; raises `DatabaseUnavailableError` when there is none."""
        with self.session() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _connect(
    _dialect: object, _record: object, arguments: list[str], options: dict[str, object]
) -> ImpatientConnection:
    return ImpatientConnection.connect(*arguments, **options)  # type: ignore[arg-type]  # SQLAlchemy's, untyped


def _describe(error: OperationalError | InterfaceError | InternalError | PoolTimeoutError) -> str:
    # the driver's own words: no statement, no parameters, no address or password
    if isinstance(error, InvalidRequestError) or not error.args:
        return f"the database doesn't answer ({type(error).__name__})"
    cause = getattr(error, "orig", None)
    return f"the database doesn't answer ({type(cause or error).__name__})"
