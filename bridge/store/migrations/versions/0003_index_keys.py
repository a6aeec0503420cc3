"""Long subjects and fingerprints stand as their keys where an index holds them."""

import sqlalchemy as sa
from alembic import op

from bridge.store.index_key import LONGEST, index_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Table, the indexed text, and what identifies a row.
_TEXTS = (
    ("deliveries", "subject", ("id",)),
    ("threads", "subject", ("sink", "subject")),
    ("fingerprints", "key", ("key",)),
)


def upgrade() -> None:
    connection = op.get_bind()
    for name, text, identity in _TEXTS:
        table = sa.table(name, *(sa.column(one) for one in {text, *identity}))
        long = sa.select(*(table.c[one] for one in identity), table.c[text].label("long_text"))
        for row in connection.execute(long.where(sa.func.length(table.c[text]) > LONGEST // 4)).all():
            this = sa.and_(*(table.c[one] == getattr(row, one) for one in identity))
            connection.execute(sa.update(table).where(this).values({text: index_key(row.long_text)}))


def downgrade() -> None:
    """Nothing: a key is a text as well, and what was longer stands with its event."""
