"""A file's content from its writes: those that are safe as they were, the others torn by sectors."""

import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Literal

from tests.powercut.journal import Op, Record

PAGE = 4096
#: How much of what was not synced is there: nothing, all, some of it, what came before a moment, what came after it.
Mood = Literal["none", "all", "half", "most", "few", "early", "late"]
#: Mood → the chance that a sector shows its last version.
_NEWEST = {"half": 0.5, "most": 0.92, "few": 0.08}


def write(content: bytearray, one: Record, *, but: Collection[int] = ()) -> None:
    """Do a write or a truncate, but for these pages of it."""
    if one.op is Op.TRUNCATE:
        del content[one.offset :]
        content.extend(bytes(one.offset - len(content)))
        return
    content.extend(bytes(max(0, one.end - len(content))))
    for page in range(one.offset // PAGE, (one.end - 1) // PAGE + 1) if but else ():
        start, stop = max(one.offset, page * PAGE), min(one.end, (page + 1) * PAGE)
        if page not in but:
            content[start:stop] = one.data[start - one.offset : stop - one.offset]
    if not but:
        content[one.offset : one.end] = one.data


def torn(
    content: bytearray, loose: Sequence[Record], mood: Mood, sector: int, chance: random.Random, *, garbage: bool
) -> bytearray:
    """The content after writes that nobody synced: each sector shows one of the versions it had, the size is any."""
    if mood == "none" or not loose:
        return content
    if mood == "all":
        for one in loose:
            write(content, one)
        return content
    synced, sizes = len(content), [len(content)]
    versions: dict[int, list[tuple[int, int, bytes]]] = defaultdict(list)  # sector → (write, offset, bytes)
    for number, one in enumerate(loose):
        for offset, data in _changed(one, sizes[-1]):
            _split(versions, number, offset, data, sector)
        sizes.append(one.offset if one.op is Op.TRUNCATE else max(sizes[-1], one.end))
    grown = max(sizes) - synced
    content.extend(chance.randbytes(grown) if garbage else bytes(grown))
    moment, furthest = chance.randint(0, len(loose)), synced
    for _, changes in sorted(versions.items()):
        for _, offset, data in changes[: _shown(changes, mood, moment, chance)]:
            content[offset : offset + len(data)] = data
            furthest = max(furthest, offset + len(data))
    # as far as what is there, the newest, or any that it had
    as_written = min(furthest, max(sizes)) if min(sizes) == synced else chance.choice(sizes)
    del content[chance.choice((as_written, sizes[-1], chance.choice(sizes))) :]
    return content


def _changed(one: Record, size: int) -> list[tuple[int, bytes]]:
    """Where an operation changes a file of a size, and what to: what is cut off reads as zeros where it grows again."""
    if one.op is Op.WRITE:
        return [(one.offset, one.data)]
    return [(one.offset, bytes(size - one.offset))] if one.offset < size else []


def _split(
    versions: dict[int, list[tuple[int, int, bytes]]], number: int, offset: int, data: bytes, sector: int
) -> None:
    for each in range(offset // sector, (offset + len(data) - 1) // sector + 1):
        start, stop = max(offset, each * sector), min(offset + len(data), (each + 1) * sector)
        versions[each].append((number, start, data[start - offset : stop - offset]))


def _shown(changes: Sequence[tuple[int, int, bytes]], mood: Mood, moment: int, chance: random.Random) -> int:
    """How many of a sector's changes are on the disk."""
    if mood == "early":  # what came before the moment is there, the write after it is torn
        return sum(number < moment or (number == moment and chance.random() < 0.5) for number, *_ in changes)
    if mood == "late":  # what came last went out first
        return len(changes) if changes[-1][0] >= moment else 0
    return len(changes) if chance.random() < _NEWEST[mood] else chance.randint(0, len(changes) - 1)
