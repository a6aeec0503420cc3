"""Whether it works and what needs somebody: the first that holds, and the worst first."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bridge.admin.language import language
from bridge.admin.shapes import DeadGroup, EventBrief, Lane
from bridge.admin.silence import Silence
from bridge.admin.state import Rejected
from bridge.admin.status import BEHIND, MOST_NEEDS, Need, NeedKind, Situation, Status, status_of
from bridge.admin.trouble import StoreTrouble
from bridge.admin.wording.advice import advice
from bridge.admin.wording.status import MARKS, say_need, say_verdict
from bridge.errors import Mistake
from bridge.messages.catalog import LOCALES
from bridge.store.base import Standing
from bridge.store.queries.gauges import LaneGauge
from bridge.value import asdict, replace
from tests.fakes import START, an_event
from tests.store.boxes import after

NOW = after(3600)
FLOWS, AWAY, PARKED = Standing.OPEN, Standing.AWAY, Standing.PARKED
BROKEN = Rejected(START, [Mistake(12, 3, "sinks.ops.url: should be an address"), Mistake(13, 1, "no such key")])
EVENT = EventBrief.model_validate(asdict(an_event()) | {"fates": ()})


def a_lane(sink: str = "ops", standing: Standing = FLOWS, **more: Any) -> Lane:
    known = {"service": "discord", "enabled": True, "reason": None, "since": None, "until": None, "failures": 0}
    counts = {"owner": None, "pending": 0, "waiting": 0, "dead": 0, "oldest": None}
    return Lane.model_validate({"sink": sink, "standing": standing, **known, **counts, **more})


def a_group(sink: str = "crm", reason: str = "HTTP 422", count: int = 31) -> DeadGroup:
    ids = {"first": 1, "through": 9, "since": START, "until": START, "types": {"user.created": count}}
    last = {"attempts": 1, "status": 422, "answer": None, "note": None}
    return DeadGroup.model_validate({"key": "k", "sink": sink, "reason": reason, "count": count, **ids, **last})


def found(
    *lanes: Lane,
    groups: tuple[DeadGroup, ...] = (),
    gauges: Mapping[str, LaneGauge] | None = None,
    latest: tuple[EventBrief, ...] = (EVENT,),
    sources: int = 1,
    rejected: Rejected | None = None,
    trouble: StoreTrouble | None = None,
    silent: tuple[Silence, ...] = (),
) -> Status:
    return status_of(
        lanes,
        gauges or {},
        groups,
        latest,
        sources=sources,
        rejected=rejected,
        trouble=trouble,
        silent=silent,
        now=NOW,
    )


FAILS = StoreTrouble(START, "store: the disk is full", 3, is_over=False)
FAILED = replace(FAILS, is_over=True)
SILENT = Silence("berlin", START, 7 * 3600.0, usual=True)
BEHIND_OPS = {"ops": LaneGauge(oldest=NOW - BEHIND - timedelta(seconds=1))}
#: Each with all that comes after it in the table.
VERDICTS: Mapping[Situation, Status] = {
    Situation.STORE_FAILS: found(a_lane(standing=PARKED), latest=(), sources=0, rejected=BROKEN, trouble=FAILS),
    Situation.BROKEN_FILE: found(a_lane(standing=PARKED), groups=(a_group(),), latest=(), sources=0, rejected=BROKEN),
    Situation.NEEDS_YOU: found(a_lane(standing=AWAY), groups=(a_group(),), latest=(), sources=0),
    Situation.AWAY: found(a_lane(standing=AWAY), latest=(), sources=0),
    Situation.NO_SOURCE: found(a_lane(), latest=(), sources=0),
    Situation.NO_EVENT: found(a_lane(), latest=()),
    Situation.WORKS: found(a_lane()),
}
SENTENCES = {
    Situation.STORE_FAILS: ("bad", "No event can be taken in: the store takes nothing."),
    Situation.BROKEN_FILE: ("bad", "Events flow by the old file. The new one is broken."),
    Situation.NEEDS_YOU: ("bad", "Events come in safely. 2 things need you."),
    Situation.AWAY: ("wait", "Events come in safely. ops does not answer at the moment."),
    Situation.NO_SOURCE: ("wait", "Nothing can come in: the file names no source."),
    Situation.NO_EVENT: ("wait", "Ready. No event has come in yet."),
    Situation.WORKS: ("ok", "Everything works."),
}


@pytest.mark.parametrize("verdict", Situation)
def test_the_verdict_is_the_first_that_holds_and_a_sentence(verdict: Situation) -> None:
    status = VERDICTS[verdict]
    said = say_verdict(language("en"), status)
    assert (status.verdict, (said.mark, said.title)) == (verdict, SENTENCES[verdict])


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (found(a_lane(standing=PARKED)), "Events come in safely. One thing needs you."),
        (found(a_lane(), gauges=BEHIND_OPS), "Events come in safely. ops is behind."),
        (found(a_lane(standing=AWAY), a_lane("team", AWAY)), "Events come in safely. 2 sinks are late."),
        (found(a_lane(), silent=(SILENT,)), "All is told. But berlin is silent."),
        (found(a_lane(), trouble=FAILED), "Events come in again. The store failed a short while ago."),
        (found(a_lane(standing=AWAY), silent=(SILENT,)), "Events come in. 2 things want a look."),
    ],
)
def test_the_sentence_counts_what_it_is_about(status: Status, sentence: str) -> None:
    assert say_verdict(language("en"), status).title == sentence


@pytest.mark.parametrize(
    ("lane", "gauge", "kinds"),
    [
        (a_lane(), LaneGauge(), []),
        (a_lane(standing=PARKED), LaneGauge(), [NeedKind.PARKED]),
        (a_lane(standing=PARKED, enabled=False), LaneGauge(), []),
        (a_lane(standing=AWAY), BEHIND_OPS["ops"], [NeedKind.AWAY]),
        (a_lane(standing=AWAY, service=None, enabled=False), LaneGauge(), []),
        (a_lane(), BEHIND_OPS["ops"], [NeedKind.BEHIND]),
        (a_lane(), LaneGauge(oldest=NOW - BEHIND), []),
        (a_lane(enabled=False), BEHIND_OPS["ops"], []),
        (a_lane(until=NOW + timedelta(seconds=1)), BEHIND_OPS["ops"], []),
        (a_lane(until=NOW), BEHIND_OPS["ops"], [NeedKind.BEHIND]),
    ],
)
def test_a_lane_needs_somebody_where_the_file_wants_it_to_flow_and_it_does_not(
    lane: Lane, gauge: LaneGauge, kinds: list[NeedKind]
) -> None:
    assert [one.kind for one in found(lane, gauges={"ops": gauge}).needs] == kinds


def test_the_worst_is_first_and_what_is_more_is_counted() -> None:
    lanes = (a_lane("late"), a_lane("night", AWAY), a_lane("ops", PARKED))
    behind = {"late": LaneGauge(oldest=START)}
    status = found(*lanes, groups=(a_group(),), gauges=behind, rejected=BROKEN, trouble=FAILS, silent=(SILENT,))
    assert [one.kind for one in status.needs] == list(NeedKind)[:MOST_NEEDS]
    few = found(lanes[0], gauges=behind, silent=(SILENT,))
    assert [one.kind for one in few.needs] == [NeedKind.BEHIND, NeedKind.SILENT]
    many = found(*lanes, groups=(a_group(),) * MOST_NEEDS)
    assert (len(many.needs), many.more_needs, many.things) == (MOST_NEEDS, 2, MOST_NEEDS + 2)


def test_a_need_has_the_words_of_the_service_how_many_and_since_when() -> None:
    lane = a_lane(standing=PARKED, reason="HTTP 404", since=START, pending=2, waiting=1)
    file, parked, dead = found(lane, groups=(a_group(),), rejected=BROKEN).needs
    assert (file.evidence, file.line, file.count) == ("sinks.ops.url: should be an address", 12, 2)
    assert (parked.evidence, parked.count, parked.since, parked.service) == ("HTTP 404", 3, START, "discord")
    assert (dead.evidence, dead.count, dead.group) == ("HTTP 422", 31, a_group())


def test_a_store_says_what_it_said_and_a_source_since_when_and_after_how_long_it_is_silent() -> None:
    store, silent = found(a_lane(), trouble=FAILS, silent=(SILENT,)).needs
    assert (store.evidence, store.count, store.since, store.is_over) == ("the disk is full", 3, START, False)
    assert (silent.source, silent.since, silent.limit, silent.usual) == ("berlin", START, 7 * 3600.0, True)


@pytest.mark.parametrize(
    ("need", "mark", "todo"),
    [
        (Need(kind=NeedKind.STORE), "bad", "Make room on its disk, or bring the database back."),
        (Need(kind=NeedKind.STORE, count=1), "bad", "One request was answered 503: its panel has to send it again."),
        (Need(kind=NeedKind.STORE, count=3, is_over=True), "wait", "It takes events again. 3 requests were answered"),
        (Need(kind=NeedKind.SILENT, source="a", limit=7000.0, usual=True), "wait", "heard again within 117 min."),
        (Need(kind=NeedKind.SILENT, source="a", limit=86400.0), "wait", "The file says that it should be heard again"),
        (Need(kind=NeedKind.SILENT, source="a", limit=80000.0, usual=True), "wait", "heard again within 23 h."),
    ],
)
def test_what_is_known_of_it_is_said(need: Need, mark: str, todo: str) -> None:
    said = say_need(language("en"), need)
    assert said.mark == mark
    assert todo in said.todo


def test_what_waits_and_was_given_up_is_counted_over_all_lanes() -> None:
    status = found(a_lane(pending=2, oldest=after(5), dead=1), a_lane("team", waiting=3, oldest=START, dead=4))
    assert (status.waiting, status.oldest, status.dead, status.last_event) == (5, START, 5, START)
    assert (found(latest=()).oldest, found(latest=()).last_event) == (None, None)


NEEDS = {
    NeedKind.STORE: Need(kind=NeedKind.STORE, evidence="the disk is full", count=3),
    NeedKind.SILENT: Need(kind=NeedKind.SILENT, source="berlin", since=START, limit=3600.0, usual=True),
    NeedKind.BROKEN_FILE: Need(kind=NeedKind.BROKEN_FILE, evidence="code 10015", count=2),
    NeedKind.PARKED: Need(
        kind=NeedKind.PARKED, sink="ops", service="discord", evidence="HTTP 404, code 10015: Unknown"
    ),
    NeedKind.DEAD: Need(kind=NeedKind.DEAD, sink="ops", service="discord", evidence="code 50035", count=3),
    NeedKind.AWAY: Need(kind=NeedKind.AWAY, sink="ops", service="discord", evidence="HTTP 502"),
    NeedKind.BEHIND: Need(kind=NeedKind.BEHIND, sink="ops", count=3),
}
TOLD = {
    NeedKind.STORE: ("The store takes nothing", "their panels have to send them again."),
    NeedKind.SILENT: ("berlin is silent", "does its secret still fit?"),
    NeedKind.BROKEN_FILE: ("The file on disk has 2 mistakes", "Mend it: it is read again as soon as it changes."),
    NeedKind.PARKED: ("ops is parked: nothing is sent there", "Meanwhile all of it is held, in order."),
    NeedKind.DEAD: ("ops: 3 messages were given up for one reason", "mend the template. Then send them again."),
    NeedKind.AWAY: ("ops does not answer", "It is tried again by itself. Nothing is lost."),
    NeedKind.BEHIND: ("ops is behind", "does a bridge run?"),
}


@pytest.mark.parametrize("kind", NeedKind)
def test_a_need_says_what_it_is_and_what_to_do(kind: NeedKind) -> None:
    said = say_need(language("en"), NEEDS[kind])
    title, end = TOLD[kind]
    assert (said.title, said.mark) == (title, MARKS[kind])
    assert said.todo.endswith(end)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", NeedKind)
def test_it_is_said_in_every_language(locale: str, kind: NeedKind) -> None:
    said, english = (say_need(language(one), NEEDS[kind]) for one in (locale, "en"))
    assert (said == english) == (locale == "en")
    assert "%" not in said.title + said.todo


@pytest.mark.parametrize(
    ("service", "reason", "part"),
    [
        ("discord", "HTTP 404, code 10015: Unknown Webhook", "was deleted"),
        ("discord", "HTTP 401, code 50027: Invalid Webhook Token", "is incomplete"),
        ("discord", "HTTP 403, code 50013: You lack permissions", "may not post there"),
        ("discord", "HTTP 400, code 50035: Invalid Form Body", "mend the template"),
        ("slack", "HTTP 404: no_service", "was removed"),
        ("slack", "HTTP 410: channel_is_archived", "is archived"),
        ("slack", "HTTP 200: not_in_channel", "Invite it"),
        ("slack", "HTTP 200: token_revoked", "was revoked"),
        ("slack", "HTTP 403: action_prohibited", "does not allow it"),
        ("slack", "HTTP 400: invalid_blocks: /blocks/3", "mend the template"),
        ("telegram", "HTTP 401: Unauthorized", "@BotFather"),
        ("telegram", "the chat has moved: set chat_id to -1001", "supergroup"),
        ("telegram", "HTTP 400: Bad Request: can't parse entities", "HTML"),
        ("telegram", "HTTP 400: Bad Request: message thread not found", "topic"),
        ("telegram", "HTTP 403: Forbidden: bot was kicked from the group chat", "not in the chat"),
        ("gohighlevel", "HTTP 401: Invalid JWT", "key"),
        ("gohighlevel", "HTTP 404: Not Found", "location"),
        ("gohighlevel", "the trigger is not published: the answer has no id", "Publish"),
        ("gohighlevel", "HTTP 422: contact not found", "contact"),
        ("webhook", "no answer: proxy: connection refused", "proxy"),
        ("webhook", "no answer: the proxy answered 407", "proxy"),
        ("webhook", "no answer: certificate has expired", "certificate"),
        ("webhook", "no answer: Name or service not known", "host"),
        ("webhook", "no answer within 15 s", "did not answer"),
        ("webhook", "HTTP 308: moved to /new at https://example.com", "has changed"),
        (None, "HTTP 413", "too large"),
        ("webhook", "HTTP 410", ""),
        ("discord", "HTTP 410: channel_is_archived", ""),
        ("discord", None, ""),
    ],
)
def test_what_a_service_says_calls_for_something(service: str | None, reason: str | None, part: str) -> None:
    said = advice(language("en"), service, reason)
    assert part in said
    assert bool(said) == bool(part)
