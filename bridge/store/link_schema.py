"""The tables of links: whose chat is whose, what a link can be made with, and what has ended."""

import sqlalchemy as sa

from bridge.store.columns import Micros, metadata

links = sa.Table(  # the chats that customers have shown to be theirs, one for each bot
    "links",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # of a recipient
    sa.Column("sender", sa.Text, primary_key=True),  # the bot
    sa.Column("chat", sa.Text, nullable=False),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
)

link_tokens = sa.Table(  # what was given away to make a link with
    "link_tokens",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),  # the token itself is kept nowhere
    sa.Column("key", sa.Text, nullable=False),  # of a recipient
    sa.Column("sender", sa.Text, nullable=False),  # the bot
    sa.Column("until", Micros, nullable=False),
    sa.Column("used_by", sa.Text),  # the chat; null until it is used
)

proofs = sa.Table(  # what customers can show to make a link with; clients of one customer may share it
    "proofs",
    metadata,
    sa.Column("hash", sa.String(32), primary_key=True),  # what it stands for is kept nowhere
    sa.Column("key", sa.Text, primary_key=True),  # of a recipient
    sa.Column("void_at", Micros),  # when it was revoked: an older event that comes late does not revive it
)

unlinked = sa.Table(  # chats whose link was ended: those that are to be told, and those that an import does not revive
    "unlinked",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True),  # the bot
    sa.Column("chat", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # of the recipient that it was
    sa.Column("at", Micros, nullable=False),
    sa.Column("why", sa.Text),  # null: what was shown is void; `told`: nothing is to be told any more
)

moved = sa.Table(  # chats that a link was moved away from, which may have it back for a while
    "moved",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True),  # the bot
    sa.Column("chat", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # of the recipient that it was
    sa.Column("how", sa.Text, nullable=False),  # it was linked
    sa.Column("first_at", Micros, nullable=False),  # since when it has that right: who had it first has it last
    sa.Column("at", Micros, nullable=False),  # when the link was moved away, the last time
)

proof_stops = sa.Table(  # recipients that nothing links that can be shown, until the operator says so
    "proof_stops",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", Micros, nullable=False),
)

closed = sa.Table(  # recipients that were deleted: what was made before is told to nobody
    "closed",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", Micros, nullable=False),
)

sa.Index("links_chat", links.c.sender, links.c.chat)
sa.Index("link_tokens_key", link_tokens.c.key)
sa.Index("link_tokens_until", link_tokens.c.until)
sa.Index("proofs_key", proofs.c.key)
sa.Index("proofs_void", proofs.c.void_at)
sa.Index("closed_at", closed.c.at)
sa.Index("moved_key", moved.c.key)
sa.Index("moved_at", moved.c.at)
