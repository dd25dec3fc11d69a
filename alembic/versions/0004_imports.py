"""Datasets that experiments import: which one does, where from, and why it failed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("datasets", sa.Column("experiment_id", sa.String(), nullable=True))
    op.add_column("datasets", sa.Column("origin", postgresql.JSONB(), nullable=True))
    op.add_column("datasets", sa.Column("error_type", sa.String(), nullable=True))
    op.add_column("datasets", sa.Column("error_message", sa.String(), nullable=True))
    op.create_index(op.f("ix_datasets_experiment_id"), "datasets", ["experiment_id"], unique=False)


def downgrade() -> None:
    """Take back; datasets that aren't ready go, for none but ready ones are known before."""
    op.execute("DELETE FROM datasets WHERE status IN ('importing', 'failed')")
    for column in ("experiment_id", "origin", "error_type", "error_message"):
        op.drop_column("datasets", column)
