"""Every try of a delivery is kept, with its answer; a subject's events have an index."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("delivery_id", ID, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ms", sa.Integer),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("ref", sa.Text),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("batch_id", ID),
        sa.Column("replica", sa.Text),
        sqlite_with_rowid=False,
    )
    op.execute("CREATE INDEX events_subject ON events (substr(subject, 1, 200), id) WHERE subject IS NOT NULL")


def downgrade() -> None:
    op.drop_index("events_subject", "events")
    op.drop_table("attempts")
