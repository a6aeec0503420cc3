"""The memory that bodies share, counted while they are read and understood.

What has proved who sent it counts against `limits.memory`, everything else against `limits.unproven`: strangers cannot
take the room of a panel. Among themselves the biggest gives way, so that a panel's small signed request finds room
however many strangers hold up unfinished bodies.
"""

from collections.abc import Callable
from typing import Self

from bridge.errors import TooLarge
from bridge.ingress.limits import Limits, Overloaded


class MemoryBudget:
    """Two shares, and who holds how much of them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._proven = BudgetShare(limits.memory)
        self._unproven = BudgetShare(limits.unproven)

    def reserve(self, *, proven: bool = True) -> "Reservation":
        """One request's part, which it holds no more at the end of its `with`."""
        return Reservation(self.limits, self._proven, self._proven if proven else self._unproven)


class BudgetShare:
    """What some of the requests hold together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.reserved = 0
        self.holders: list[Reservation] = []  # those that can give way


class Reservation:
    """One request's part of a share; counts up while its body arrives."""

    def __init__(self, limits: Limits, proven: BudgetShare, share: BudgetShare) -> None:
        self._limits, self._proven, self._share = limits, proven, share
        self._give_way: Callable[[], None] | None = None
        self.limits = limits
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def grow(self, size: int) -> None:
        """Count `size` more bytes; raise TooLarge or Overloaded where they do not fit."""
        self.check(self.size + size)
        while self._share.reserved + size > self._share.limit:
            biggest = max(self._share.holders, key=lambda one: one.size, default=self)
            if biggest.size <= self.size + size or biggest._give_way is None:
                raise Overloaded("too many big requests at once")
            give_way = biggest._give_way
            biggest.release()
            give_way()
        self._share.reserved += size
        self.size += size

    def check(self, size: int) -> None:
        """Raise TooLarge where a body may not have so many bytes."""
        if size > (most := min(self._limits.body, self._share.limit)):
            raise TooLarge(f"the body is bigger than {most} bytes")

    def gives_way(self, give_way: Callable[[], None] | None) -> None:
        """Call this when a smaller one needs the room, and count nothing more; None when it no longer can.

        What is proven never gives way: it would be told again, and again.
        """
        if self._share is self._proven:
            return
        if self._give_way is not None:
            self._share.holders.remove(self)
        self._give_way = give_way
        if give_way is not None:
            self._share.holders.append(self)

    def prove(self) -> None:
        """From now on it counts as proven; raise Overloaded where there is no room."""
        size = self.size
        self.release()
        self._share = self._proven
        self.grow(size)

    def release(self) -> None:
        """Hold nothing any more."""
        self.gives_way(None)
        self._share.reserved -= self.size
        self.size = 0
