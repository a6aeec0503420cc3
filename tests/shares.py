"""In what order tests are given to workers, of which each gets the next part of them."""

from collections.abc import Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_shares(waiting: Sequence[T], busy: Sequence[T], workers: int) -> list[T]:
    """In the order in which so many workers, each given the next part of all of them, begin with what waits."""
    each, left, found = (len(waiting) + len(busy)) // workers, iter(busy), list[T]()
    for number in range(workers):
        share = waiting[number::workers]
        found += [*share, *islice(left, max(0, each - len(share)))]
    return [*found, *left]
