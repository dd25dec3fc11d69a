"""The database and the broker of a composition root: given by URL, or the embedded ones."""

from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import SchemaError
from db.settings import Settings


@contextmanager
def running_servers(settings: Settings) -> Iterator[Settings]:
    """Settings that name a database and a broker; embedded ones live as long as the block.

    Raises:
        db.errors.SettingsError: only one of the two URLs is set.
        db.errors.EmbeddedServerError: the embedded servers can't start here.
    """
    if settings.database_url is not None and settings.broker_url is not None:
        yield settings
        return
    if settings.database_url is not None:
        settings.require_broker_url()
    if settings.broker_url is not None:
        settings.require_database_url()
    # The embedded servers are an extra: a service with URLs needn't have them installed.
    from db.embedded import EmbeddedServers

    servers = EmbeddedServers(settings.data_dir)
    try:
        database_url, broker_url = servers.start()
        yield settings.with_servers(database_url, broker_url)
    finally:
        servers.stop()


@contextmanager
def running_database(settings: Settings) -> Iterator[str]:
    """URL of the database alone, for a command that needs no broker; its schema is this version's.

    The embedded one is that of the service which runs on the data folder, else it is started for the block
    and brought to this version's schema.

    Raises:
        db.errors.SchemaError: the database of the URL has another version's schema.
        db.errors.EmbeddedServerError: the embedded servers can't start here.
    """
    from db.migrate import current, head, upgrade

    url = settings.database_url
    if url is None:
        from db.embedded import running_database_url

        url = running_database_url(settings.data_dir)
    if url is not None:
        if (found := current(url)) != head():
            raise SchemaError(
                f"database schema: expected revision {head()}, found {found or 'none'}; run `sip db upgrade`"
            )
        yield url
        return
    with running_servers(settings) as complete:
        upgrade(complete.require_database_url())
        yield complete.require_database_url()
