"""Rows belong to the key they were made with, and keys have limits of their own."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OWNED = ("datasets", "experiments", "models", "backbones")


def upgrade() -> None:
    """Apply; what is there already belongs to nobody: keys that aren't admin's don't see it."""
    for table in _OWNED:
        op.add_column(table, sa.Column("owner", sa.String(), server_default="", nullable=False))
    op.drop_constraint(op.f("uq_datasets_name"), "datasets", type_="unique")
    op.create_unique_constraint(op.f("uq_datasets_owner_name"), "datasets", ["owner", "name"])
    op.drop_constraint(op.f("uq_models_name_version"), "models", type_="unique")
    op.create_unique_constraint(op.f("uq_models_owner_name_version"), "models", ["owner", "name", "version"])
    op.create_index("ix_experiments_owner_id", "experiments", ["owner", "id"], unique=False)
    op.add_column("api_keys", sa.Column("owner", sa.String(), nullable=True))
    op.execute("UPDATE api_keys SET owner = id")
    op.alter_column("api_keys", "owner", nullable=False)
    op.add_column("api_keys", sa.Column("requests_per_minute", sa.BigInteger(), nullable=True))
    op.add_column("api_keys", sa.Column("texts_per_day", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take back; fails while two owners use the same name."""
    for column in ("texts_per_day", "requests_per_minute", "owner"):
        op.drop_column("api_keys", column)
    op.drop_index("ix_experiments_owner_id", table_name="experiments")
    op.drop_constraint(op.f("uq_models_owner_name_version"), "models", type_="unique")
    op.create_unique_constraint(op.f("uq_models_name_version"), "models", ["name", "version"])
    op.drop_constraint(op.f("uq_datasets_owner_name"), "datasets", type_="unique")
    op.create_unique_constraint(op.f("uq_datasets_name"), "datasets", ["name"])
    for table in reversed(_OWNED):
        op.drop_column(table, "owner")
