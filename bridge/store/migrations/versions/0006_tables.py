"""The table of rows is kept once for all events that were routed by it, which keep what it said and not why."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tables",
        sa.Column("key", sa.String(16), primary_key=True),
        sa.Column("rows", sa.Text, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
    )
    op.add_column("events", sa.Column("table_key", sa.String(16)))


def downgrade() -> None:
    op.drop_column("events", "table_key")
    op.drop_table("tables")
