"""Links under a message: as people write them, as blocks of a template, and as they are found again in a message."""

from collections.abc import Sequence

from pydantic import Field

from bridge.message import Message
from bridge.settings import Settings
from bridge.sinks.text import one_line

#: What is said of a message whose buttons the service refused; behind it stands why.
NO_BUTTONS = "sent without its buttons, for one was refused"


class LinkButton(Settings):
    """A link under a message."""

    text: str = Field(description="what the button says, a template")
    url: str = Field(description="where it leads, a template; left out where it is no http or https address")


def button_blocks(links: Sequence[LinkButton]) -> tuple[tuple[str, str], ...]:
    """The blocks that the links are rendered as: their names, and the templates."""
    return tuple(
        block for number, one in enumerate(links) for block in zip(_names(number), (one.text, one.url), strict=True)
    )


def button_at(message: Message, number: int) -> tuple[str, str]:
    """What the link of that number says, from 0, in one line, and where it leads, which has not been looked at yet."""
    text, url = _names(number)
    return one_line(message[text]), message[url].strip()


def _names(number: int) -> tuple[str, str]:
    return f"button_{number}_text", f"button_{number}_url"
