"""Links: the chats that customers have shown to be theirs, and what they want of what they are told."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TOLD = "ON deliveries (recipient, settled_at) WHERE recipient IS NOT NULL AND state = 'delivered'"


def upgrade() -> None:
    op.add_column("wishes", sa.Column("wants", sa.Text))
    op.create_table(
        "links",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("chat", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("links_chat", "links", ["sender", "chat"])
    op.create_table(
        "link_tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("used_by", sa.Text),
    )
    op.create_index("link_tokens_key", "link_tokens", ["key"])
    op.create_index("link_tokens_until", "link_tokens", ["until"])
    op.create_table(
        "closed",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("closed_at", "closed", ["at"])
    op.execute(f"CREATE INDEX deliveries_told {TOLD}")


def downgrade() -> None:
    op.drop_index("deliveries_told", "deliveries")
    op.drop_table("closed")
    op.drop_table("link_tokens")
    op.drop_table("links")
    op.drop_column("wishes", "wants")
