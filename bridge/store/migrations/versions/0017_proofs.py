"""Proofs: what customers can show to make a link with, and the chats that are to be told of a link that has ended."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proofs",
        sa.Column("hash", sa.String(32), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("void_at", sa.BigInteger),
    )
    op.create_index("proofs_key", "proofs", ["key"])
    op.create_index("proofs_void", "proofs", ["void_at"])
    op.create_table(
        "unlinked",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("chat", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("unlinked")
    op.drop_table("proofs")
