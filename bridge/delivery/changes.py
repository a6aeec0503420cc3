"""What a lane has done while the store was asked what may go next."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Changes:
    """What has happened since the store was asked last, and its answer may not know.

    settled   ids of what was settled
    subjects  of what waits now, or has ceased to
    cursors   ids above which the pending ones have to be looked through again
    """

    settled: set[int] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    cursors: list[int] = field(default_factory=list)
