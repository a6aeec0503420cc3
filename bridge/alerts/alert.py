"""An alert: what is told of an incident, as a value, and the event that it becomes. Pure.

Why keys: every replica, and every start anew, comes to the same conclusion from the same facts. What is told carries a
key that is made of these facts alone, and the store takes an event of a key once.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from bridge.event import Event, iso, new_id
from bridge.incident import ConfigRejected, LaneStanding
from bridge.intake import Fingerprint
from bridge.value import Value, field
from bridge.vocabulary import OWN_FAMILY, OWN_SOURCE

REMEMBERED = 366 * 86400.0  # seconds for which it is known what was told
SAME_FILE = 600.0  # seconds in which several replicas find the same mistakes
MISTAKES = 20  # of a file that are told


class Alert(Value, kw_only=True):
    """What is to be told.

    word    of its type: `lane_parked` of `bridge.lane_parked`
    key     the same for whoever tells the same; None where only one can
    within  seconds for which the key is remembered
    after   keys of which one must have been told before: good news is none where nobody heard the bad
    """

    word: str
    at: datetime
    subject: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    within: float = REMEMBERED
    after: tuple[str, ...] = ()

    def event(self, now: datetime) -> Event:
        """The event that it becomes, received `now`."""
        type_ = f"{OWN_FAMILY}.{self.word}"
        return Event(
            id=new_id(),
            source=OWN_SOURCE,
            panel=OWN_SOURCE,
            type=type_,
            native_type=type_,
            subject=self.subject,
            occurred_at=self.at,
            received_at=now,
            data=dict(self.data),
            native={},
        )

    def fingerprint(self) -> Fingerprint | None:
        """By which the store knows that it was told."""
        return None if self.key is None else Fingerprint(stored_key(self.key), within=self.within)


def stored_key(key: str) -> str:
    """A key as the store keeps it, beside those of sources: none of them is called like us."""
    return f"{OWN_SOURCE}:{key}"


def lane_trouble(lane: LaneStanding, now: datetime) -> Alert:
    """A lane is parked, or has been away for long enough."""
    word = f"lane_{lane.standing}"
    command = f"panelbridge resume {lane.sink}" if lane.standing == "parked" else "panelbridge lanes"
    return Alert(
        word=word,
        at=now,
        subject=f"lane:{lane.sink}",
        data=_known(lane=_known(sink=lane.sink, since=_iso(lane.since)), reason=lane.reason, command=command),
        key=_key(word, lane.sink, lane.since),
    )


def lane_open(lane: LaneStanding, now: datetime) -> Alert:
    """A lane flows again; told where its trouble was."""
    return Alert(
        word="lane_open",
        at=now,
        subject=f"lane:{lane.sink}",
        data={"lane": _known(sink=lane.sink, since=_iso(lane.since))},
        key=_key("lane_open", lane.sink, lane.since),
        after=tuple(_key(word, lane.sink, lane.since) for word in ("lane_away", "lane_parked")),
    )


def dead_letters(sink: str, reason: str, count: int, now: datetime) -> Alert:
    """So many messages were given up. Only who carries the lane tells it."""
    command = f"panelbridge deliveries --dead --sink {sink}"
    data = {"lane": {"sink": sink, "dead": count}, "reason": reason, "command": command}
    return Alert(word="dead_letters", at=now, subject=f"lane:{sink}", data=data)


def config_rejected(rejected: ConfigRejected, now: datetime) -> Alert:
    """The file is wrong; replicas have the same one, wherever it lies, and find its mistakes at about the same time."""
    mistakes = "\n".join(rejected.mistakes).replace(rejected.file, "")
    digest = sha256(mistakes.encode("utf-8", "replace")).hexdigest()
    return Alert(
        word="config_rejected",
        at=now,
        data={
            "config": {"file": rejected.file, "mistakes": list(rejected.mistakes[:MISTAKES])},
            "command": f"panelbridge check --config {rejected.file}",
        },
        key=f"config_rejected:{digest}",
        within=SAME_FILE,
    )


def store_failing(reason: str, now: datetime) -> Alert:
    """The store takes nothing, this alert neither: it has no key."""
    return Alert(word="store_failing", at=now, data={"reason": reason})


def source_silent(name: str, last: datetime, now: datetime) -> Alert:
    """Nothing has come from a source since then."""
    key = _key("source_silent", name, last)
    return Alert(word="source_silent", at=now, subject=f"source:{name}", data=_silence(name, last, now), key=key)


def source_heard(name: str, last: datetime, at: datetime) -> Alert:
    """A source has spoken again `at` that time, which was silent after `last`."""
    return Alert(
        word="source_heard",
        at=at,
        subject=f"source:{name}",
        data=_silence(name, last, at),
        key=_key("source_heard", name, last),
        after=(_key("source_silent", name, last),),
    )


def _silence(name: str, last: datetime, until: datetime) -> dict[str, Any]:
    seconds = round((until - last).total_seconds())
    source = {"name": name, "last_event_at": iso(last), "silent_seconds": seconds}
    return {"source": source, "command": f"panelbridge events --source {name}"}


def _key(word: str, name: str, since: datetime | None) -> str:
    return f"{word}:{name}:{_iso(since) or ''}"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
