"""The directory: where recipients are reached; whom a delivery is for stands with it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FILLING = 'ON deliveries (sink, "row", terms, {}id) WHERE due_at IS NOT NULL AND reason IS NULL'


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("recipient", sa.Text))
    op.drop_index("deliveries_filling", "deliveries")
    op.execute(f"CREATE INDEX deliveries_filling {FILLING.format('recipient, ')}")
    op.create_table(
        "directory",
        sa.Column("generation", sa.String(16), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_table(
        "directories",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.String(16), nullable=False),
    )
    op.create_table(
        "addresses",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("reached_at", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("since", sa.BigInteger),
        sa.Column("until", sa.BigInteger),
    )
    op.create_table(
        "wishes",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("stopped_at", sa.BigInteger),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "told",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("family", sa.Text, primary_key=True),
        sa.Column("cycle", sa.Text, nullable=False),
        sa.Column("rank", sa.BigInteger, nullable=False),
        sa.Column("mark", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("told")
    op.drop_table("wishes")
    op.drop_table("addresses")
    op.drop_table("directories")
    op.drop_table("directory")
    op.drop_index("deliveries_filling", "deliveries")
    op.execute(f"CREATE INDEX deliveries_filling {FILLING.format('')}")
    op.drop_column("deliveries", "recipient")
