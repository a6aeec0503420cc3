"""Links that were moved to another chat, and who is linked by nothing that is shown: what "That was not me" needs."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("chat", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("moved_key", "moved", ["key"])
    op.create_index("moved_at", "moved", ["at"])
    op.create_table(
        "proof_stops",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.add_column("unlinked", sa.Column("why", sa.Text))


def downgrade() -> None:
    op.drop_column("unlinked", "why")
    op.drop_table("proof_stops")
    op.drop_table("moved")
