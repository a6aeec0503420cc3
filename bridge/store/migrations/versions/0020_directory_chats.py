"""Whom the directory places in a chat: it is asked for each message whether its chat is that of several, and by a bot.

The directory in force is written anew with the next start: until then nobody is known to be in a chat.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory_chats",
        sa.Column("generation", sa.String(16), primary_key=True),
        sa.Column("chat", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
    )


def downgrade() -> None:
    op.drop_table("directory_chats")
