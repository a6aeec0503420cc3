"""What was replayed or put away is dealt with, and says so; what was replayed so far is found by `replay_of`."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("cleared", sa.Text))
    op.add_column("deliveries", sa.Column("cleared_at", sa.BigInteger))
    op.execute(
        "UPDATE deliveries SET cleared = 'replayed', cleared_at ="
        " (SELECT max(again.made_at) FROM deliveries AS again WHERE again.event_id = deliveries.event_id"
        " AND again.replay_of = deliveries.id)"
        " WHERE settled_at IS NOT NULL AND id IN (SELECT replay_of FROM deliveries WHERE replay_of > 0)"
    )
    _replace_index("state = 'dead' AND cleared_at IS NULL")


def downgrade() -> None:
    _replace_index("state = 'dead'")
    op.drop_column("deliveries", "cleared_at")
    op.drop_column("deliveries", "cleared")


def _replace_index(where: str) -> None:
    op.drop_index("deliveries_dead", "deliveries")
    op.create_index(
        "deliveries_dead",
        "deliveries",
        ["sink", "id"],
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
