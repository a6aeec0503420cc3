"""When each of a sink's many addresses may be spoken to. Pure: the time is an argument, in monotonic seconds.

Nothing is held of an address that may be spoken to now: how many there are costs nothing, only how many were spoken to
within the longest of the spaces, or wait for a time that was promised to them.

Why not the windows of `limiter.py`: a window keeps the time of each send, and there would be one for each address. What
is kept here is one number for each rate, the time from which on the next send is in time (GCRA).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.outcome import Spaced

RECENT = 60.0  # seconds within which a send may be what a limit is about


@dataclass(slots=True)
class _Times:
    """Of one address.

    sent      for each rate, when the next send is in time after those that went out
    promised  the same after those that were promised, too
    """

    sent: list[float]
    promised: list[float]
    last: float = float("-inf")
    out: object | None = None  # whoever is on the way there
    paused: float = float("-inf")


@dataclass(slots=True)
class Pace:
    """The addresses that have to be waited for; `began`: what was sent before then, nobody here knows."""

    began: float = float("-inf")
    _at: dict[str, _Times] = field(default_factory=dict)
    _swept: int = 1024  # how many there were at the last look, at least

    def take(self, address: str, rates: Sequence[Spaced], now: float, by: object = True) -> bool:
        """Whether it may be spoken to now; then nobody else may, until it is `sent` or given back `by` the same."""
        self._sweep(now)
        times = self._times(address, rates)
        if times.out is not None or self.free_at(address, rates) > now:
            return False
        times.out = by
        return True

    def hold(self, address: str, by: object = True) -> bool:
        """Whether nothing is on its way there, or waits to be; then nothing else may, until it is given back."""
        if address not in self._at or self._at[address].out is not None:
            return False
        self._at[address].out = by
        return True

    def free_at(self, address: str, rates: Sequence[Spaced]) -> float:
        """When it may be spoken to, as far as what was sent tells."""
        times = self._at.get(address)
        return float("-inf") if times is None else max(times.paused, _free_at(times.sent, rates))

    def promise(self, address: str, rates: Sequence[Spaced], now: float) -> float:
        """A time at which it may be spoken to, behind all that were promised already."""
        times = self._times(address, rates)
        times.promised = [max(one, two) for one, two in zip(times.promised, times.sent, strict=True)]
        at = max(now, times.paused, _free_at(times.promised, rates))
        if times.out is not None:  # what is on its way is counted when it is sent; until then as if it were sent now
            at = max(at, now + max((one.every for one in rates), default=0.0))
        times.promised = _after(times.promised, rates, at)
        return at

    def sent(self, address: str, rates: Sequence[Spaced], at: float) -> None:
        """Something went out to it."""
        times = self._times(address, rates)
        times.sent, times.last, times.out = _after(times.sent, rates, at), at, None

    def give_back(self, address: str, by: object = True) -> None:
        """Nothing was sent after all. Who has sent has nothing to give back: another may be on the way by then."""
        if address in self._at and self._at[address].out is by:
            self._at[address].out = None

    def pause(self, address: str, rates: Sequence[Spaced], until: float) -> None:
        """Leave it alone until then."""
        times = self._times(address, rates)
        times.paused = max(times.paused, until)

    def was_busy(self, address: str, now: float) -> bool:
        """Whether something before the last send may be why it asks to be left alone.

        Where nobody can know, for that may have been before we began, it is believed of one address, and of no other as
        long as that one is left alone.
        """
        if address in self._at and self._at[address].last > now - RECENT:
            return True
        others = (times for other, times in self._at.items() if other != address)
        return now < self.began + RECENT and not any(times.paused > now for times in others)

    def __len__(self) -> int:
        return len(self._at)

    def _times(self, address: str, rates: Sequence[Spaced]) -> _Times:
        if address not in self._at:
            past = [float("-inf")] * len(rates)
            self._at[address] = _Times(past, past)
        return self._at[address]

    def _sweep(self, now: float) -> None:
        """Forget those that need not be waited for, once there are twice as many as the last time."""
        if len(self._at) < 2 * self._swept:
            return
        self._at = {
            address: times
            for address, times in self._at.items()
            if times.out is not None or max(*times.sent, *times.promised, times.paused, times.last + RECENT) > now
        }
        self._swept = max(1024, len(self._at))


def _free_at(times: Sequence[float], rates: Sequence[Spaced]) -> float:
    return max((at - (one.burst - 1) * one.every for at, one in zip(times, rates, strict=True)), default=float("-inf"))


def _after(times: Sequence[float], rates: Sequence[Spaced], at: float) -> list[float]:
    """The times after a send at `at`."""
    return [max(before, at) + one.every for before, one in zip(times, rates, strict=True)]
