"""All that is known of experiments: every row in the database, every file in the store."""

from pathlib import Path

from sqlalchemy import text

from db.metrics import MetricFilter, poll
from db.session import Database
from db.settings import Settings

_TABLES = ("experiments", "metric_series", "metrics", "artifacts", "models", "loose_files", "datasets")


def all_rows(database: Database) -> dict[str, list[str]]:
    """Every row that an attempt could have a part in, as text, by table."""
    with database.session() as session:
        return {
            table: [
                row.line
                for row in session.execute(
                    text(f'SELECT "{table}"::text AS line FROM "{table}" ORDER BY line')
                )
            ]
            for table in _TABLES
        }


def metric_values(database: Database, experiment_id: str) -> list[tuple[str, int | None, float | None]]:
    """Name, step and value of each metric row, in the order they were written."""
    with database.session() as session:
        rows = poll(session, MetricFilter(experiments=(experiment_id,))).rows
    return [(row.name, row.step, row.value) for row in rows]


def stored_files(settings: Settings) -> list[str]:
    """Keys of the files in the store, datasets aside; also files that are being written."""
    root = Path(settings.artifacts_url)
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] != "datasets"
    )


def scratch_folders(settings: Settings) -> list[str]:
    """Names of the attempts' private folders."""
    return sorted(path.name for path in settings.scratch_dir.glob("*"))


def lease_left(database: Database, experiment_id: str) -> float:
    """Seconds until the experiment may be taken from its worker, by the database's clock."""
    left = text("SELECT extract(epoch FROM lease_expires_at - now()) FROM experiments WHERE id = :id")
    with database.session() as session:
        return float(session.scalar(left, {"id": experiment_id}) or 0)
