"""Deliveries have terms; lanes, what was said about a subject, fingerprints and replicas have tables of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("terms", sa.Text))
    op.add_column("deliveries", sa.Column("instead", sa.Text))
    op.create_table(
        "lanes",
        sa.Column("sink", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("since", sa.BigInteger),
        sa.Column("until", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("spent", sa.Text, nullable=False),
        sa.Column("learned", sa.Text, nullable=False),
    )
    op.create_table(
        "threads",
        sa.Column("sink", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("said_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "fingerprints",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("tries", sa.Integer),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "replicas",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    for name in ("deliveries_pending", "deliveries_waiting", "deliveries_blocking"):
        op.drop_index(name, "deliveries")
    for name, table, columns, where in (
        ("deliveries_pending", "deliveries", ["sink", "id"], "settled_at IS NULL AND due_at IS NULL"),
        ("deliveries_waiting", "deliveries", ["sink", "due_at", "id"], "due_at IS NOT NULL"),
        ("deliveries_blocking", "deliveries", ["sink", "subject", "id"], "due_at IS NOT NULL"),
        ("deliveries_collected", "deliveries", ["sink", "row", "made_at", "id"], "due_at IS NOT NULL"),
        ("deliveries_filling", "deliveries", ["sink", "row", "terms", "id"], "due_at IS NOT NULL AND reason IS NULL"),
        ("deliveries_termed", "deliveries", ["sink", "id"], "settled_at IS NULL AND terms IS NOT NULL"),
        ("deliveries_dead", "deliveries", ["sink", "id"], "state = 'dead'"),
        ("set_aside_received", "set_aside", ["received_at"], None),
        ("threads_said", "threads", ["said_at"], None),
        ("fingerprints_until", "fingerprints", ["until"], None),
    ):
        condition = None if where is None else sa.text(where)
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    for table in ("replicas", "fingerprints", "threads", "lanes"):
        op.drop_table(table)
    for name, table in (
        ("set_aside_received", "set_aside"),
        ("deliveries_dead", "deliveries"),
        ("deliveries_termed", "deliveries"),
        ("deliveries_filling", "deliveries"),
        ("deliveries_collected", "deliveries"),
        ("deliveries_blocking", "deliveries"),
        ("deliveries_waiting", "deliveries"),
        ("deliveries_pending", "deliveries"),
    ):
        op.drop_index(name, table)
    for name, columns, state in (
        ("deliveries_pending", ["sink", "id"], "pending"),
        ("deliveries_waiting", ["sink", "due_at"], "waiting"),
        ("deliveries_blocking", ["sink", "subject"], "waiting"),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(name, "deliveries", columns, sqlite_where=condition, postgresql_where=condition)
    with op.batch_alter_table("deliveries") as batch:
        batch.drop_column("instead")
        batch.drop_column("terms")
