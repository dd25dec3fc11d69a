"""What the values of a series have in common moves to a table of its own."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MOVED = {
    "experiment_id": sa.String(),
    "name": sa.String(),
    "split": sa.String(),
    "layer": sa.BigInteger(),
    "backbone": sa.String(),
    "seed": sa.BigInteger(),
    "dataset": sa.String(),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "metric_series",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("experiment_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("split", sa.String(), nullable=True),
        sa.Column("layer", sa.BigInteger(), nullable=True),
        sa.Column("backbone", sa.String(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("dataset", sa.String(), nullable=True),
        sa.Column("first_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_metric_series_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_series")),
        sa.UniqueConstraint(
            "experiment_id",
            "name",
            "split",
            "layer",
            "backbone",
            name=op.f("uq_metric_series_experiment_id_name_split_layer_backbone"),
            postgresql_nulls_not_distinct=True,
        ),
        postgresql_with={"fillfactor": 50},
    )
    op.execute(
        "INSERT INTO metric_series"
        " (experiment_id, name, split, layer, backbone, seed, dataset, first_id, last_id)"
        " SELECT experiment_id, name, split, layer, backbone, min(seed), min(dataset), min(id), max(id)"
        " FROM metrics GROUP BY experiment_id, name, split, layer, backbone ORDER BY min(id)"
    )
    op.create_index(
        op.f("ix_metric_series_name"),
        "metric_series",
        ["name"],
        unique=False,
        postgresql_ops={"name": "text_pattern_ops"},
    )
    op.add_column("metrics", sa.Column("series_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE metrics SET series_id = metric_series.id FROM metric_series"
        " WHERE metrics.experiment_id = metric_series.experiment_id AND metrics.name = metric_series.name"
        " AND metrics.split IS NOT DISTINCT FROM metric_series.split"
        " AND metrics.layer IS NOT DISTINCT FROM metric_series.layer"
        " AND metrics.backbone IS NOT DISTINCT FROM metric_series.backbone"
    )
    op.alter_column("metrics", "series_id", nullable=False)
    # their constraints and indexes go with them
    for column in _MOVED:
        op.drop_column("metrics", column)
    op.create_unique_constraint(
        op.f("uq_metrics_series_id_step"),
        "metrics",
        ["series_id", "step"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(op.f("ix_metrics_series_id_id"), "metrics", ["series_id", "id"], unique=False)
    op.create_foreign_key(
        op.f("fk_metrics_series_id_metric_series"),
        "metrics",
        "metric_series",
        ["series_id"],
        ["id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    """Take back; of values that differ in nothing but the backbone only the first one stays."""
    for column, kind in _MOVED.items():
        op.add_column("metrics", sa.Column(column, kind, nullable=True))
    op.execute(
        "UPDATE metrics SET experiment_id = metric_series.experiment_id, name = metric_series.name,"
        " split = metric_series.split, layer = metric_series.layer, backbone = metric_series.backbone,"
        " seed = metric_series.seed, dataset = metric_series.dataset"
        " FROM metric_series WHERE metric_series.id = metrics.series_id"
    )
    op.execute(
        "DELETE FROM metrics WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER"
        " (PARTITION BY experiment_id, name, step, split, layer ORDER BY id) AS place FROM metrics) AS placed"
        " WHERE place > 1)"
    )
    op.drop_column("metrics", "series_id")
    op.drop_table("metric_series")
    op.alter_column("metrics", "experiment_id", nullable=False)
    op.alter_column("metrics", "name", nullable=False)
    op.create_unique_constraint(
        op.f("uq_metrics_experiment_id_name_step_split_layer"),
        "metrics",
        ["experiment_id", "name", "step", "split", "layer"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(op.f("ix_metrics_experiment_id_id"), "metrics", ["experiment_id", "id"], unique=False)
    op.create_foreign_key(
        op.f("fk_metrics_experiment_id_experiments"),
        "metrics",
        "experiments",
        ["experiment_id"],
        ["id"],
        ondelete="CASCADE",
    )
