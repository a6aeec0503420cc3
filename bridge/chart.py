"""A chart: how much there was in each part of a time. Signs that every service shows, or what a picture is drawn from.

In a message it travels as a block: a record for each bar, its number, and the digits that stand below it. So all that a
picture shows is in the message, and whoever cannot draw writes the signs.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TypeVar

from bridge.bidi import LRI, PDI, RLM
from bridge.message import RECORD, UNIT, Digest, Message
from bridge.value import Value, field, replace

BLOCK = "chart"
SIGNS = "▁▂▃▄▅▆▇█"
NEEDED = ("PIL", "urllib3")  # what draws a picture, and what sends one: panelbridge[pictures]


M = TypeVar("M", bound=Message | Digest)

_BAR = re.compile(f"([0-9]{{1,15}})(?:{UNIT}([0-9]{{1,4}}))?")


class Chart(Value):
    """Bars, and what stands below some of them: the number of the bar → digits."""

    bars: Sequence[int]
    ticks: Mapping[int, str] = field(default_factory=dict)

    @property
    def block(self) -> str:
        """As it travels in a message."""
        marks = (f"{UNIT}{self.ticks[number]}" if number in self.ticks else "" for number in range(len(self.bars)))
        return RECORD.join(f"{n}{mark}" for n, mark in zip(self.bars, marks, strict=True))

    @property
    def signs(self) -> str:
        """As `▁▂▇█`: nothing is the lowest sign, and all that is more than nothing is higher."""
        top = max(self.bars, default=0)
        steps = len(SIGNS) - 1
        return "".join(SIGNS[-(-n * steps // top) if top else 0] for n in self.bars)


def read_chart(block: str) -> Chart | None:
    """The chart of a block; None where there is none, or something else stands there."""
    found = [_BAR.fullmatch(record.strip()) for record in block.split(RECORD)]
    bars = [int(one[1]) for one in found if one is not None]
    if not bars or len(bars) != len(found):
        return None
    return Chart(bars, {number: one[2] for number, one in enumerate(found) if one is not None and one[2]})


def chart_of(message: Message | Digest) -> Chart | None:
    """What a picture beside the message shows; None where there is to be none."""
    return read_chart(message[BLOCK]) if message[BLOCK] else None


def with_signs(message: M, block: str) -> M:
    """The message without a picture: its chart as signs at the end of that block."""
    if (chart := chart_of(message)) is None:
        return message
    others, text = {name: one for name, one in message.blocks.items() if name != BLOCK}, message[block].rstrip()
    signs = f"{LRI}{chart.signs}{PDI}" if RLM in text else chart.signs  # the first hour is at the left everywhere
    return replace(message, blocks={**others, block: f"{text}\n{signs}"})


@cache
def can_be_drawn() -> bool:
    """Whether what draws pictures is installed."""
    return all(find_spec(name) is not None for name in NEEDED)
