"""A message that was posted and may be changed: how it is remembered by the id that its poster was told, and changed.

A change is an event of its own, about the same message: it goes to the sinks that the message went to and that can
change what they were told, behind the message itself. Which event says last what it is, its fingerprint tells.
"""

import json
import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.errors import BadPayload
from bridge.event import Event, JsonObject, iso, new_id
from bridge.foreign import parse_json, whole
from bridge.ingress.source import Source
from bridge.intake import NO_TABLE, Decision, Destination, Fingerprint, Intake, Routed
from bridge.panels.base import Hook
from bridge.posted import DELETED, EDITED, is_changeable, message_subject
from bridge.store.base import Remembered
from bridge.terms import Terms
from bridge.value import replace

EPOCH = 1420070400000  # milliseconds: Discord's ids count from the first of January 2015
CHANGEABLE = 30 * 86400.0  # seconds for which a message can be changed
POLL, LONGEST_POLL = 24, 32 * 24  # hours: how long a poll runs that does not say, and at most
ROW = "message"  # what the verdicts call it: no row of the table is asked
#: What an edit can say; what it leaves out stays as it was.
PARTS = ("content", "embeds", "components", "attachments", "poll", "flags", "allowed_mentions")


def new_message_id(now: datetime) -> str:
    """An id as Discord makes them, that no other message has."""
    return str(((int(now.timestamp() * 1000) - EPOCH) << 22) | secrets.randbits(22))


def message_key(source: str, id_: str) -> str:
    """By which the store knows a message."""
    return f"{source}:message:{id_}"


def with_message_id(intake: Intake, source: str, id_: str) -> Intake:
    """The intake; where it is one message that tells of nothing else, with the id by which that can be changed."""
    if len(intake.routed) != 1 or intake.set_aside:
        return intake
    [routed] = intake.routed
    if routed.event.type != "message.posted" or routed.event.subject is not None:
        return intake
    event = replace(routed.event, subject=message_subject(id_))
    return replace(intake, routed=[replace(routed, event=event, fingerprint=_fingerprint(source, id_))])


def is_there(posted: Remembered | None) -> bool:
    """Whether there is such a message, and it was not taken back."""
    return posted is not None and is_changeable(posted.event) and posted.event.native_type != DELETED


def changing(posted: Remembered, event: Event, sinks: Collection[str]) -> list[Destination]:
    """Where a change of the message goes: to those of these sinks that it went to, on what of its terms fits a change.

    What was collected has no message of its own, and so a new text of it is collected, too.
    """
    return [replace(one, terms=_terms(one, event)) for one in posted.destinations if one.sink in sinks]


def edited(posted: Remembered, source: Source, hook: Hook) -> Event:
    """What the message is after an edit; raise BadPayload where that is none, or no message that can be changed."""
    change = parse_json(hook.body)
    if not isinstance(change, dict):
        raise BadPayload("should be an object")
    before = posted.event.native if isinstance(posted.event.native, Mapping) else {}
    body = {**before, **{key: change[key] for key in PARTS if key in change}}
    events, _ = source.parse(replace(hook, body=json.dumps(body).encode()))
    if len(events) != 1 or events[0][0].type != "message.posted":
        raise BadPayload("a message cannot become a panel's report: post it anew", "embeds")
    return replace(events[0][0], subject=posted.event.subject, native_type=EDITED)


def deleted(posted: Remembered, now: datetime) -> Event:
    """That the message is taken back."""
    return replace(posted.event, id=new_id(), native_type=DELETED, occurred_at=now, received_at=now)


def as_intake(event: Event, destinations: list[Destination], *, realm: str | None = None) -> Intake:
    """A change, as it is kept; `realm`: whose users it speaks of."""
    id_ = (event.subject or "").partition(":")[2]
    sinks = ", ".join(one.sink for one in destinations)
    decision = Decision(NO_TABLE, beside=((ROW, f"changes a message that was posted before, at {sinks}"),))
    return Intake([Routed(event, tuple(destinations), decision, _fingerprint(event.source, id_))], realm=realm)


def message_object(
    source: str, id_: str, payload: Mapping[str, Any], *, channel: str, at: datetime, edited: str | None
) -> JsonObject:
    """A message as Discord answers it."""
    embeds, poll = payload.get("embeds"), payload.get("poll")
    return {
        "id": id_,
        "type": 0,
        "content": payload.get("content") or "",
        "channel_id": payload.get("thread_id") or channel,
        "webhook_id": channel,
        "author": {
            "id": channel,
            "username": payload.get("username") or source,
            "avatar": None,
            "discriminator": "0000",
            "bot": True,
            "global_name": None,
        },
        "embeds": [{"type": "rich", **one} for one in embeds or () if isinstance(one, dict)],
        "attachments": [],
        "components": payload.get("components") or [],
        **({"poll": _poll_object(poll, at)} if poll else {}),
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "pinned": False,
        "tts": False,
        "flags": whole(payload.get("flags")) or 0,
        "timestamp": iso(at),
        "edited_timestamp": edited,
    }


def _poll_object(poll: Mapping[str, Any], at: datetime) -> JsonObject:
    """A poll as Discord answers it: with an end in place of a duration, and with numbers for its answers."""
    hours, answers = whole(poll.get("duration")), poll.get("answers")
    hours = hours if hours is not None and 1 <= hours <= LONGEST_POLL else POLL
    listed = [one for one in answers if isinstance(one, dict)] if isinstance(answers, list) else []
    return {
        "allow_multiselect": False,
        "layout_type": 1,
        **{key: value for key, value in poll.items() if key != "duration"},
        "answers": [{**one, "answer_id": number} for number, one in enumerate(listed, 1)],
        "expiry": iso(at + timedelta(hours=hours)),
    }


def posted_at(id_: str) -> datetime | None:
    """When an id of ours was made; None where it is none."""
    if not id_.isdecimal() or len(id_) > 20:
        return None
    milliseconds = (int(id_) >> 22) + EPOCH
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _terms(to: Destination, change: Event) -> Terms | None:
    if to.terms is None or change.native_type == DELETED:
        return None
    terms = Terms(digest=to.terms.digest, quiet=to.terms.quiet)
    return None if terms == Terms() else terms


def _fingerprint(source: str, id_: str) -> Fingerprint:
    """It repeats nothing: the last event that has it is what the message is."""
    return Fingerprint(message_key(source, id_), tries=0, within=CHANGEABLE)
