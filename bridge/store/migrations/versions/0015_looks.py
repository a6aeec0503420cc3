"""What was held back and what was dealt with has indexes: few are, and a person asks for them. An event keeps the trace
of its request.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = {"deliveries_held": "state = 'held_back'", "deliveries_cleared": "cleared_at IS NOT NULL"}


def upgrade() -> None:
    op.add_column("events", sa.Column("trace", sa.String(55)))
    for name, where in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON deliveries (id) WHERE {where}")


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "deliveries")
    op.drop_column("events", "trace")
