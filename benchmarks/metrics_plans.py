"""How PostgreSQL carries out the statements behind a page of metrics."""

import re
from typing import Any, NamedTuple

from sqlalchemy import event
from sqlalchemy.engine import Connection

from benchmarks.metrics_cases import Case
from db import metrics
from db.session import Database


class Plan(NamedTuple):
    """What the plans of all statements of a page say."""

    indexes: list[str]
    reads_whole_table: bool


def plan_of(database: Database, case: Case) -> Plan:
    """The plans of the very statements that a request leads to."""
    statements: list[tuple[str, Any]] = []

    def note(
        _connection: Connection, _cursor: object, statement: str, parameters: Any, _context: object, _: bool
    ) -> None:
        statements.append((statement, parameters))

    with database.session() as session:
        connection = session.connection()
        event.listen(connection, "after_cursor_execute", note)
        find = metrics.latest if "latest" in case.query else metrics.poll
        find(session, case.wanted, since=int(case.query.get("since", 0)))
        event.remove(connection, "after_cursor_execute", note)
        lines = [
            line
            for statement, parameters in statements
            for (line,) in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        ]
    plan = "\n".join(lines)
    indexes = sorted(set(re.findall(r"Index (?:Only )?Scan (?:Backward )?using (\w+)", plan)))
    return Plan(indexes, "Seq Scan on metrics" in plan)
