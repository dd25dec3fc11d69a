"""Rows for every table of a schema at any revision, made up from what the database says of its columns."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    FromClause,
    Integer,
    MetaData,
    Uuid,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

NUM_ROWS = 2

Rows = dict[str, list[Mapping[str, object]]]

# where a check allows some words only; the first row is one that a worker owns
_WORDS = {
    ("experiments", "status"): ("running", "queued"),
    ("experiments", "queue"): ("cpu", "gpu"),
}


def fill(connection: Connection) -> MetaData:
    """Insert `NUM_ROWS` rows into every table; returns the tables as they are at this revision.

    The first row has a value in every column, the second one only where it must.
    """
    tables = MetaData()
    tables.reflect(connection)
    tables.remove(tables.tables["alembic_version"])
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # tables refer to each other
    for table in tables.tables.values():
        columns = [column for column in table.columns if column.identity is None]
        for number in range(NUM_ROWS):
            filled = [column for column in columns if number == 0 or not column.nullable]
            connection.execute(table.insert().values({c.name: _value(c, number) for c in filled}))
    connection.execute(text("SET LOCAL session_replication_role = origin"))
    return tables


def read_all(connection: Connection, tables: MetaData) -> Rows:
    """Table → its rows, in the columns that `tables` names.

    A column that has moved since to a table which the rows refer to is read there.
    """
    now = MetaData()
    now.reflect(connection)
    found: Rows = {}
    for name, table in tables.tables.items():
        current = now.tables[name]
        missing = [column.name for column in table.columns if column.name not in current.columns]
        joined: FromClause = current
        columns = [current.columns[c.name] for c in table.columns if c.name in current.columns]
        for key in current.foreign_keys if missing else ():
            other = key.column.table
            joined = joined.join(other, key.parent == key.column)
            columns += [other.columns[moved] for moved in missing if moved in other.columns]
        rows = connection.execute(select(*columns).select_from(joined).order_by(*current.primary_key))
        found[name] = [dict(sorted((str(k), v) for k, v in row.items())) for row in rows.mappings()]
    return found


def _value(column: Column[object], number: int) -> object:
    for key in column.foreign_keys:
        return _value(key.column, number)
    words = _WORDS.get((column.table.name, column.name))
    if words is not None:
        return words[number]
    match column.type:
        case Boolean():
            return number == 0
        case Integer():
            return 10 + number
        case Double():
            return 0.5 + number
        case DateTime():
            return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        case Uuid():
            return UUID(int=number)
        case JSONB():
            return {"number": number, "nested": [1.5, None, "text"]}
        case _:
            return f"{column.name}-{number} « ü »"
