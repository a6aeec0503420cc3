"""Events, their deliveries, and what was set aside."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("panel", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("native_type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("native", sa.Text, nullable=False),
        sa.Column("verdicts", sa.Text, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("sink", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("row", sa.Text, nullable=False),
        sa.Column("template", sa.Text),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("replay_of", _ID),
    )
    op.create_table(
        "set_aside",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("element", sa.Text, nullable=False),
    )
    pending, waiting = sa.text("state = 'pending'"), sa.text("state = 'waiting'")
    for name, columns, condition in (
        ("deliveries_pending", ["sink", "id"], pending),
        ("deliveries_waiting", ["sink", "due_at"], waiting),
        ("deliveries_blocking", ["sink", "subject"], waiting),
    ):
        op.create_index(name, "deliveries", columns, sqlite_where=condition, postgresql_where=condition)
    op.create_index("deliveries_event", "deliveries", ["event_id"])


def downgrade() -> None:
    for table in ("set_aside", "deliveries", "events"):
        op.drop_table(table)
