"""What PostgreSQL itself says a schema is: also the checks and predicates that Alembic overlooks."""

from sqlalchemy import Connection, text

_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
           pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""
_INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"


def catalogue(connection: Connection) -> set[tuple[object, ...]]:
    """Every column, constraint and index of our tables, each as a tuple that begins with its table's name."""
    rows = {
        tuple(row)
        for statement in (_COLUMNS, _CONSTRAINTS, _INDEXES)
        for row in connection.execute(text(statement))
    }
    return {row for row in rows if row[0] != "alembic_version"}
