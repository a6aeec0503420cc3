"""Requests as panels really sent them: `tests/payloads/{panel}/*.json`, each with what it should give."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from bridge.panels.base import Hook
from bridge.value import Value

PAYLOADS = Path(__file__).parent.parent / "payloads"
#: Requests of senders that are understood by the operator's expressions, in the same form.
SENDERS = Path(__file__).parent.parent / "senders"

#: When every recorded request is taken to have arrived.
ARRIVAL = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Recorded(Value):
    """One request, and what is expected of it: how many events, each one's native name and subject's name."""

    name: str
    hook: Hook
    expect_count: int
    expect_events: list[tuple[str, str | None]]
    refuse: bool = False

    def __str__(self) -> str:
        return self.name


def recorded(folder: str, root: Path = PAYLOADS) -> list[Recorded]:
    """All requests recorded from one panel, by name."""
    return [_load(file) for file in sorted((root / folder).glob("*.json"))]


def _load(file: Path) -> Recorded:
    record = json.loads(file.read_text("utf-8"))
    expect = record["expect"]
    url = urlsplit(record["path"])
    hook = Hook(
        body=record["body"].encode(),
        received_at=ARRIVAL,
        headers=record["headers"],
        query=dict(parse_qsl(url.query)),
        token=_token(url.path),
    )
    events = [(event["native"], event["subject"]) for event in expect.get("events", [])]
    return Recorded(file.stem, hook, expect.get("count", 0), events, expect.get("refuse", False))


def _token(path: str) -> str | None:
    """The secret of a Discord webhook's address, its last segment."""
    return path.rstrip("/").rpartition("/")[2] if "/webhooks/" in path else None
