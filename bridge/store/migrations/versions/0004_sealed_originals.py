"""Deliveries may have originals of masked fields, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("sealed", sa.Text))


def downgrade() -> None:
    op.drop_column("deliveries", "sealed")
