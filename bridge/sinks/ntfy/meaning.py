"""What a type of event means to a phone: how loud it is, and the tag by which an app can filter it.

Source   docs.ntfy.sh/publish/#message-priority, #tags-emojis; the colours of vocabulary/types.py say what a type means
"""

import re
from collections.abc import Iterable

from bridge.vocabulary.types import GREY, RED, TYPES

HIGH, LOW = 4, 2
#: What is red about one of these is somebody's daily business, and no machine's trouble.
PEOPLE = frozenset({"user", "subscription", "payment", "reseller", "device", "peer", "message"})
MOST = 3  # types of a digest that become tags

_TAG = re.compile(r"[\w.-]{1,64}", re.ASCII)


def priority_of(types: Iterable[str]) -> int | None:
    """The loudest of these types; None for what is neither loud nor low."""
    found = [_priority(type_) for type_ in types]
    if HIGH in found:
        return HIGH
    return LOW if found and set(found) == {LOW} else None


def tags_of(types: Iterable[str]) -> list[str]:
    """A tag for each of the first types, as far as they can be tags."""
    return [type_ for type_ in types if _TAG.fullmatch(type_)][:MOST]


def _priority(type_: str) -> int | None:
    known = TYPES.get(type_)
    if known is None:
        return None
    if known.color == RED and type_.partition(".")[0] not in PEOPLE:
        return HIGH
    return LOW if known.color == GREY else None
