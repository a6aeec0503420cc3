"""The tries of a delivery, for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.cli.console import print_table

if TYPE_CHECKING:
    from bridge.admin.shapes import Try
    from bridge.store.records import AttemptRecord


def print_tries(tries: "Sequence[Try | AttemptRecord]", zone: ZoneInfo) -> None:
    """A row for each, what the service answered below it; nothing where there is none."""
    if not tries:
        return
    print("\ntries")
    print_table(
        ("WHEN", "OUTCOME", "STATUS", "MS", "NEXT", "REASON", "ANSWER"),
        map(_cells, tries),
        below={"ANSWER": "answer: {}", "REASON": "{}", "NEXT": "again at {}", "MS": "{} ms", "STATUS": "HTTP {}"},
        zone=zone,
    )


def _cells(one: "Try | AttemptRecord") -> tuple[object, ...]:
    answer = f"in the row of delivery {one.batch_id}" if one.batch_id is not None else one.answer
    outcome = one.outcome if one.counts or one.ms is None else f"{one.outcome}, costs none"
    return (one.at, outcome, one.status, one.ms, one.next_at, one.reason, answer)
