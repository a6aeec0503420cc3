"""A service as one value: all that the house knows of a chat outside of the chat's own folder."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from bridge.markup.drawing import Draw
from bridge.markup.markdown import MarkdownWriter
from bridge.markup.text import Text
from bridge.message import Digest, Message
from bridge.value import Value

if TYPE_CHECKING:
    from rich import text as rich
    from rich.console import RenderableType


class Terminal(Protocol):
    """How a service's messages look on a terminal: the module `terminal` of its folder."""

    def words(self, markup: str) -> "rich.Text":
        """A text in the service's markup."""
        ...

    def body(self, message: Message | Digest, at: datetime) -> "RenderableType":
        """What the blocks say; `at` is when it happened."""
        ...


class Service(Value, kw_only=True, eq=False):
    """What is peculiar to a service. Its folder makes one, its config carries it, and nobody asks for a service's name.

    name           as the file's `type` says it; its templates are in templates/{name}/
    text           how words are escaped
    writer         how Discord's markdown is written, for messages that were posted to us
    blocks         the named blocks that a message is made of; templates have `remarks` beside them
    digest_blocks  those that a digest is made of
    terminal       what draws it on a terminal, imported only where one is drawn on: it brings rich
    draw           draws a request's body as a page shows it
    mailboxes      whether it writes to mailboxes: what customers are told has a link that stops it
    pictures       whether it shows a picture that is drawn here; others are told as much in signs
    long_values    whether its layout wants times to the second, and true and false in place of yes and no

    What a page, a question or an advice must know of a service is a field here too: what
    `init` asks, what `doctor` tries, what is worth saying of its settings.
    """

    name: str
    text: type[Text]
    writer: type[MarkdownWriter]
    blocks: tuple[str, ...]
    digest_blocks: tuple[str, ...]
    terminal: Callable[[], Terminal]
    draw: Draw
    long_values: bool = False
    mailboxes: bool = False
    pictures: bool = False


#: How much a message says: heading and three facts at most, what matters to the type, all that is known.
Extent = Literal["short", "normal", "full"]


class ServiceLook(Value):
    """What a sink wants said.

    service  whose blocks, templates and escaping; None where it wants no words
    inline   the operator's own little templates from the sink's settings, (block name, Jinja source); never escaped
    locale   the language, None for the file's
    parts    how many events of a digest it can tell in full; 0 where it tells every event by itself
    style    how much of an event it tells
    """

    service: Service | None = None
    inline: tuple[tuple[str, str], ...] = ()
    locale: str | None = None
    parts: int = 0
    style: Extent = "normal"
