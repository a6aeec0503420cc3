"""Announcements: what customers are told at the operator's word, and which deliveries that made."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("sink", sa.Text, nullable=False),
        sa.Column("chosen", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("critical", sa.Boolean, nullable=False),
        sa.Column("counted", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("cursor", sa.String(64), nullable=False),
    )
    op.create_table(
        "announced",
        sa.Column("delivery_id", ID, primary_key=True, autoincrement=False),
        sa.Column("announcement", ID, nullable=False),
        sa.Column("begun_at", sa.BigInteger),
    )
    op.create_index("announced_of", "announced", ["announcement", "delivery_id"])


def downgrade() -> None:
    op.drop_table("announced")
    op.drop_table("announcements")
