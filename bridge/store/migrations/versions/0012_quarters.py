"""What reports tell is counted by the quarter of an hour too; of the last two days it is made from the minutes."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO tallies (what, step, at, name, detail, n, ms_sum, ms_max)"
        " SELECT what, 900, at - at % 900, name, detail, SUM(n), SUM(ms_sum), MAX(ms_max) FROM tallies"
        " WHERE step = 60 AND what IN ('in', 'out', 'type') GROUP BY what, at - at % 900, name, detail"
    )


def downgrade() -> None:
    op.execute("DELETE FROM tallies WHERE step = 900")
