"""Experiments that wait for others."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATUSES = "'queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'"


def upgrade() -> None:
    """Apply."""
    op.drop_constraint(op.f("ck_experiments_status"), "experiments", type_="check")
    op.create_check_constraint(
        op.f("ck_experiments_status"), "experiments", f"status IN ('waiting', {_STATUSES})"
    )
    op.create_index(
        "uq_experiments_parent_id_name",
        "experiments",
        ["parent_id", "name"],
        unique=True,
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_table(
        "experiment_needs",
        sa.Column("experiment_id", sa.String(), nullable=False),
        sa.Column("needs_id", sa.String(), nullable=False),
        sa.Column("must_succeed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_needs_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["needs_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_needs_needs_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "needs_id", name=op.f("pk_experiment_needs")),
    )
    op.create_index(op.f("ix_experiment_needs_needs_id"), "experiment_needs", ["needs_id"], unique=False)


def downgrade() -> None:
    """Take back; what waits is cancelled, for nothing would ever wake it."""
    op.execute("UPDATE experiments SET status = 'cancelled', finished_at = now() WHERE status = 'waiting'")
    op.drop_table("experiment_needs")
    op.drop_index("uq_experiments_parent_id_name", table_name="experiments")
    op.drop_constraint(op.f("ck_experiments_status"), "experiments", type_="check")
    op.create_check_constraint(op.f("ck_experiments_status"), "experiments", f"status IN ({_STATUSES})")
