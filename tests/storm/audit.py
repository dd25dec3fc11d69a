"""The storm's own record of every change of an experiment's state, written by the database itself."""

from dataclasses import dataclass

from sqlalchemy import text

from db.session import Database

# a schema of its own: the service's tables stay what its migrations made them
_STATEMENTS = (
    "CREATE SCHEMA storm",
    """CREATE TABLE storm.changes (
        id bigserial PRIMARY KEY, experiment_id text NOT NULL, before text, after text NOT NULL,
        crashes bigint NOT NULL, claim_token uuid, error_type text
    )""",
    """CREATE FUNCTION storm.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO storm.changes (experiment_id, before, after, crashes, claim_token, error_type) VALUES (
            NEW.id, CASE TG_OP WHEN 'UPDATE' THEN OLD.status END, NEW.status, NEW.crashes,
            NEW.claim_token, NEW.error_type
        );
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER note_new AFTER INSERT ON experiments
       FOR EACH ROW EXECUTE FUNCTION storm.note()""",
    """CREATE TRIGGER note_change AFTER UPDATE ON experiments FOR EACH ROW
       WHEN (OLD.status <> NEW.status OR OLD.claim_token IS DISTINCT FROM NEW.claim_token)
       EXECUTE FUNCTION storm.note()""",
)


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the record."""

    experiment_id: str
    before: str | None
    after: str
    crashes: int
    claim_token: object
    error_type: str | None


def begin_audit(database: Database) -> None:
    """Record from now on."""
    with database.session() as session:
        for statement in _STATEMENTS:
            session.execute(text(statement))


def changes(database: Database) -> list[Change]:
    """All changes in the order they were made."""
    with database.session() as session:
        rows = session.execute(
            text(
                "SELECT experiment_id, before, after, crashes, claim_token, error_type"
                " FROM storm.changes ORDER BY id"
            )
        )
        return [Change(*row) for row in rows]
