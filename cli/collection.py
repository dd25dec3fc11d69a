"""Collects garbage of every kind, one after the other, and says of each what and how much."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape

from cli.terminal import Terminal, size
from db import garbage, idempotency
from db.garbage import Leftover
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore

_GIB = 1024**3


class Collection:
    """Removes what nobody needs, or only says what it would remove.

    Args:
        dry_run: remove nothing.
    """

    def __init__(self, settings: Settings, database: Database, terminal: Terminal, dry_run: bool) -> None:
        self._settings = settings
        self._database = database
        self._terminal = terminal
        self._dry_run = dry_run

    def run(self, cache_gb: float | None, metrics_days: int | None) -> None:
        """Collect everything.

        Args:
            cache_gb: GiB of the feature cache to keep; None: all of it.
            metrics_days: metrics of experiments that ended more days ago go; None: none do.

        Raises `StoreError` and `OSError`.
        """
        settings, database, now = self._settings, self._database, datetime.now(UTC)
        store = ArtifactStore.from_settings(settings)
        self._files(
            "stored files without a row",
            garbage.unaccounted_files(database, store, now),
            lambda leftover: store.delete_file(leftover.name),
        )
        downloads = settings.downloads_dir
        self._local("unused copies", garbage.unused_copies(database, downloads, now), downloads)
        for folder in (settings.data_dir / "uploads", settings.scratch_dir):
            self._local(f"leftovers in {folder.name}", garbage.abandoned_files(database, folder, now), folder)
        if cache_gb is not None:
            self._features(int(cache_gb * _GIB))
        self._idempotency_keys()
        if metrics_days is not None:
            self._metrics(metrics_days)

    def _local(self, what: str, leftovers: Iterable[Leftover], folder: Path) -> None:
        self._files(what, leftovers, lambda leftover: garbage.remove_local(leftover, folder))

    def _files(self, what: str, leftovers: Iterable[Leftover], remove: Callable[[Leftover], None]) -> None:
        num_files = num_bytes = 0
        for leftover in leftovers:
            if not self._dry_run:
                remove(leftover)
            self._terminal.say(f"  {escape(leftover.name)}  {size(leftover.num_bytes)}")
            num_files, num_bytes = num_files + 1, num_bytes + leftover.num_bytes
        self._say(what, _amount(num_files, num_bytes))

    def _features(self, keep_bytes: int) -> None:
        # Here and not above: numpy takes a while, and few ask for this.
        from sip_model.backbones.eviction import remove_segment, segments_beyond

        segments = segments_beyond(self._settings.features_dir, keep_bytes, time.time())
        if not self._dry_run:
            for segment in segments:
                remove_segment(segment)
        num_bytes = sum(segment.num_bytes for segment in segments)
        self._say("segments of the feature cache", _amount(len(segments), num_bytes))

    def _idempotency_keys(self) -> None:
        with self._database.session() as session:
            num_keys = idempotency.purge(session)
            if self._dry_run:
                session.rollback()
        self._say("idempotency keys of over a day ago", f"{num_keys:,}" if num_keys else "none")

    def _metrics(self, days: int) -> None:
        if self._dry_run:
            with self._database.session() as session:
                num_rows = garbage.count_old_metrics(session, days)
        else:
            num_rows = garbage.delete_old_metrics(self._database, days)
        ended = "a day" if days == 1 else f"{days:,} days"
        self._say(
            f"metrics of experiments that ended over {ended} ago", f"{num_rows:,}" if num_rows else "none"
        )

    def _say(self, what: str, how_much: str) -> None:
        self._terminal.good(f"{'would remove' if self._dry_run else 'removed'} {escape(what)}: {how_much}")


def _amount(num_files: int, num_bytes: int) -> str:
    return f"{num_files:,} ({size(num_bytes)})" if num_files else "none"
