"""Erasures: that somebody was forgotten, for the lanes that have claimed what is gone, and for a file's log."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("log_wanted", sa.BigInteger, nullable=False),
        sa.Column("log_emptied", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("erasures")
