"""The database and the broker of a composition root: given by URL, or the embedded ones."""

from collections.abc import Iterator
from contextlib import contextmanager

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
