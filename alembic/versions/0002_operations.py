"""Queues, checkpoints, files being stored, idempotency keys, API keys and counters."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("experiments", sa.Column("queue", sa.String(), server_default="gpu", nullable=False))
    op.add_column("experiments", sa.Column("request_id", sa.String(), nullable=True))
    op.add_column("experiments", sa.Column("checkpoint_key", sa.String(), nullable=True))
    op.add_column("experiments", sa.Column("checkpoint_sha256", sa.String(), nullable=True))
    op.create_index("ix_experiments_kind_status", "experiments", ["kind", "status"], unique=False)
    op.create_check_constraint(op.f("ck_experiments_queue"), "experiments", "queue IN ('gpu', 'cpu')")
    op.create_check_constraint(
        op.f("ck_experiments_checkpoint"),
        "experiments",
        "(checkpoint_key IS NULL) = (checkpoint_sha256 IS NULL)",
    )
    op.add_column(
        "workers",
        sa.Column(
            "queues",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column(
        "workers", sa.Column("hears_calls", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.create_table(
        "loose_files",
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("claim_token", sa.Uuid(), nullable=True),
        sa.Column("keep_until", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_loose_files")),
    )
    op.create_index(op.f("ix_loose_files_claim_token"), "loose_files", ["claim_token"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("holder", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("counters")
    op.drop_table("api_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("loose_files")
    op.drop_column("workers", "hears_calls")
    op.drop_column("workers", "queues")
    op.drop_constraint(op.f("ck_experiments_checkpoint"), "experiments", type_="check")
    op.drop_constraint(op.f("ck_experiments_queue"), "experiments", type_="check")
    op.drop_index("ix_experiments_kind_status", table_name="experiments")
    for column in ("checkpoint_sha256", "checkpoint_key", "request_id", "queue"):
        op.drop_column("experiments", column)
