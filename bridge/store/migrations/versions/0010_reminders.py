"""A delivery may be a reminder of a trouble that lasts, and says which one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("reminder", sa.Integer))


def downgrade() -> None:
    op.drop_column("deliveries", "reminder")
