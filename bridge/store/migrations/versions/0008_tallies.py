"""What happened is counted, what people changed is remembered, and what they mute; who looks finds it by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
INDEXES = (
    ("deliveries_settled", "deliveries (sink, id) WHERE settled_at IS NOT NULL"),
    ("events_type", "events (substr(type, 1, 200), id)"),
    ("events_owner", "events (realm, substr(owner, 1, 200), id) WHERE owner IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("detail", sa.Text, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("ms_sum", sa.BigInteger, nullable=False),
        sa.Column("ms_max", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "mutes",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.add_column("events", sa.Column("owner", sa.Text))
    op.add_column("events", sa.Column("realm", sa.Text))
    op.add_column("deliveries", sa.Column("ref", sa.Text))
    op.add_column("deliveries", sa.Column("ms", sa.Integer))
    for name, of in INDEXES:
        op.execute(f"CREATE INDEX {name} ON {of}")


def downgrade() -> None:
    for name, of in INDEXES:
        op.drop_index(name, of.partition(" ")[0])
    for table, column in (("deliveries", "ms"), ("deliveries", "ref"), ("events", "realm"), ("events", "owner")):
        op.drop_column(table, column)
    for table in ("mutes", "audit", "tallies"):
        op.drop_table(table)
