"""Many values, as few of them as fit in one statement."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
CHUNK = 500


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in their order, up to CHUNK at a time."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
