"""What tells a panel's repeat of an event: the same for both, different for any two events, and none where unsure."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.intake import Fingerprint
from bridge.panels.base import Hook, Panel
from bridge.panels.cloudevents import BATCHED, STRUCTURED
from tests.panels.hearing import JSON, WORDS, hook, opened
from tests.panels.recorded import PAYLOADS, Recorded, recorded

PANELS = {word: opened(word) for word in WORDS}
MARZBAN, PASARGUARD, MARZNESHIN = (PANELS[word] for word in ("marzban", "pasarguard", "marzneshin"))
REMNAWAVE, CLOUDEVENTS, JSON_PANEL, DISCORD = (PANELS[word] for word in ("remnawave", "cloudevents", "json", "discord"))

FAMILY = (MARZBAN, PASARGUARD, MARZNESHIN)
DELETED = {"enqueued_at": 1.5, "send_at": 2.5, "tries": 0, "username": "alice", "action": "user_deleted"}
ENVELOPE = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "user.created"}


def marks(panel: Panel[Any], request: Hook) -> list[Fingerprint | None]:
    """The fingerprints of a request's elements."""
    return [panel.fingerprint(element, index, request) for index, element in enumerate(panel.elements(request))]


def mark(panel: Panel[Any], value: Any, **more: Any) -> Fingerprint | None:
    (only,) = marks(panel, hook(value, **more))
    return only


def keys(found: Sequence[Fingerprint | None]) -> list[str]:
    return [one.key for one in found if one is not None]


def named(folder: str, part: str) -> Hook:
    (found,) = [one.hook for one in recorded(folder) if one.name.startswith(part)]
    return found


# Every panel


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
@given(value=JSON)
def test_any_element_has_a_fingerprint_or_none_and_nothing_is_raised(panel: Panel[Any], value: Any) -> None:
    found = panel.fingerprint(value, 0, hook(value, headers={"webhook-id": "1"}))
    assert found is None or len(found.key) == 32


@pytest.mark.parametrize("folder", ["marzban", "pasarguard", "marzneshin", "remnawave"])
def test_no_two_recorded_events_share_a_fingerprint_but_a_retry_and_what_it_repeats(folder: str) -> None:
    panel = REMNAWAVE if folder == "remnawave" else MARZBAN
    requests = [one for one in recorded(folder) if not one.hook.token and "retry" not in one.name]
    found = [one for request in requests for one in keys(marks(panel, request.hook))]
    assert len(found) == len(set(found))
    assert bool(found) is (folder != "marzneshin")


@pytest.mark.parametrize(
    ("panel", "request_"),
    [(PANELS[word], one) for word in ("wgportal", "orbvpn") for one in recorded(word)],
    ids=lambda one: one.config.panel if isinstance(one, Panel) else str(one),  # the same in every worker
)
def test_panels_that_say_nothing_to_tell_a_repeat_by_have_no_fingerprint(panel: Panel[Any], request_: Recorded) -> None:
    assert set(marks(panel, request_.hook)) == {None}


def test_a_discord_message_has_no_fingerprint() -> None:
    request = named("marzban", "001")
    assert [DISCORD.fingerprint(one, 0, request) for one in DISCORD.elements(request)] == [None]


@pytest.mark.parametrize("field", ["proxies", "links", "subscription_url"])
def test_events_that_differ_in_a_secret_alone_are_not_the_same_and_no_key_shows_it(field: str) -> None:
    body = json.loads((PAYLOADS / "marzban/003-user_created-owned-by-reseller.json").read_text())["body"]
    (element,) = json.loads(body)
    other = {**element, "user": {**element["user"], field: "another-secret"}}
    one, two = keys([mark(MARZBAN, element), mark(MARZBAN, other)])
    assert one != two
    assert set(two) <= set("0123456789abcdef")


# Marzban and its forks


@pytest.mark.parametrize("panel", FAMILY)
def test_marzbans_retries_are_told_by_their_count_and_otherwise_equal(panel: Panel[Any]) -> None:
    attempts = [marks(panel, named("marzban", part)) for part in ("080", "081", "082", "083")]
    user = [attempt[0] for attempt in attempts]
    other = [attempt[1] for attempt in attempts[1:]]
    assert [one and one.tries for one in user] == [0, 1, 2, 3]
    assert [one and one.tries for one in other] == [0, 1, 2]
    assert len(set(keys(user))) == len(set(keys(other))) == 1
    assert set(keys(user)).isdisjoint(keys(other))
    assert all(one and one.within >= 4 * 180 for one in user)


@pytest.mark.parametrize("panel", FAMILY)
def test_two_real_events_of_marzban_that_are_equal_are_both_first_tellings(panel: Panel[Any]) -> None:
    found = marks(panel, hook([DELETED, DELETED]))
    assert [one and one.tries for one in found] == [0, 0]


def test_the_single_objects_of_old_marzban_are_counted_too() -> None:
    first = json.loads(named("marzban", "084").body)
    again = mark(MARZBAN, {**first, "tries": 2})
    assert again is not None
    assert (again.tries, [again.key]) == (2, keys([mark(MARZBAN, first)]))


@pytest.mark.parametrize("change", [{"username": "bob"}, {"action": "user_created"}, {"enqueued_at": 1.6}, {"by": {}}])
def test_marzbans_retry_is_equal_in_all_but_what_a_retry_changes(change: dict[str, Any]) -> None:
    one, two = keys([mark(MARZBAN, DELETED), mark(MARZBAN, {**DELETED, "tries": 1, **change})])
    assert one != two


@pytest.mark.parametrize("tries", [None, "1", -1, 1.0, True, 2**64, [], {}])
def test_what_is_no_count_of_tries_tells_no_repeat(tries: Any) -> None:
    assert mark(MARZBAN, {**DELETED, "tries": tries}) is None


@pytest.mark.parametrize("panel", FAMILY)
def test_pasarguards_retry_is_told_by_its_true_stamp(panel: Panel[Any]) -> None:
    first, again = marks(panel, named("pasarguard", "100")) + marks(panel, named("pasarguard", "101"))
    assert first is not None
    assert first == again
    assert first.tries is None


@pytest.mark.parametrize("change", [{"enqueued_at": 1795233608.84084}, {"username": "bob"}, {"action": "user_deleted"}])
def test_another_event_of_pasarguard_is_another_event(change: dict[str, Any]) -> None:
    (element,) = json.loads(named("pasarguard", "100").body)
    one, two = keys([mark(PASARGUARD, element), mark(PASARGUARD, {**element, **change})])
    assert one != two


@pytest.mark.parametrize("stamp", [None, 0, -1, "soon", [], True])
def test_pasarguards_element_without_a_true_stamp_tells_no_repeat(stamp: Any) -> None:
    (element,) = json.loads(named("pasarguard", "100").body)
    assert mark(PASARGUARD, {**element, "enqueued_at": stamp}) is None


def test_an_element_that_could_be_marzbans_is_never_told_by_a_stamp_that_could_be_untrue() -> None:
    found = mark(PASARGUARD, DELETED)
    assert found is not None
    assert found.tries == 0


@pytest.mark.parametrize("request_", [one for one in recorded("marzneshin") if not one.refuse], ids=str)
@pytest.mark.parametrize("panel", FAMILY)
def test_marzneshin_never_repeats(panel: Panel[Any], request_: Recorded) -> None:
    assert set(marks(panel, request_.hook)) == {None}


# Remnawave


def test_remnawaves_retry_is_the_same_body() -> None:
    request = named("remnawave", "031")
    (first,), (again,) = marks(REMNAWAVE, request), marks(REMNAWAVE, request)
    assert first is not None
    assert (first, first.tries) == (again, None)


@pytest.mark.parametrize(
    "value",
    [
        [{"event": "user.created", "timestamp": "2026-11-21T04:08:46.489Z"}] * 2,
        {"event": "user.created"},
        {"event": "user.created", "timestamp": None},
        {"event": "user.created", "timestamp": "soon"},
    ],
)
def test_a_body_that_does_not_say_when_or_has_several_events_tells_no_repeat(value: Any) -> None:
    assert set(marks(REMNAWAVE, hook(value))) == {None}


# CloudEvents and any JSON


def test_an_event_is_named_by_its_source_and_id_in_every_mode() -> None:
    structured = marks(CLOUDEVENTS, hook({**ENVELOPE, "data": 1}, headers={"Content-Type": STRUCTURED}))
    batched = marks(CLOUDEVENTS, hook([ENVELOPE], headers={"Content-Type": BATCHED}))
    headers = {f"ce-{name}": value for name, value in ENVELOPE.items()}
    binary = marks(CLOUDEVENTS, hook(body=b"{}", headers=headers))
    assert structured == batched == binary
    assert keys(structured)


@given(names=st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=2, max_size=2, unique=True))
def test_events_of_different_sources_or_ids_are_different(names: list[tuple[str, str]]) -> None:
    batch = [{**ENVELOPE, "source": source, "id": id_} for source, id_ in names]
    found = keys(marks(CLOUDEVENTS, hook(batch, headers={"Content-Type": BATCHED})))
    assert len(found) == len(set(found))


def test_ids_that_no_database_takes_tell_nothing() -> None:
    batch = [{**ENVELOPE, "id": "\x00"}, {**ENVELOPE, "id": "\ud800"}]
    assert marks(CLOUDEVENTS, hook(batch, headers={"Content-Type": BATCHED})) == [None, None]


def test_any_json_is_told_by_its_webhook_id_and_place_and_by_nothing_else() -> None:
    batch = [{"kind": "backup"}, {"kind": "backup"}]
    assert marks(JSON_PANEL, hook(batch)) == [None, None]
    assert marks(JSON_PANEL, hook(batch, headers={"webhook-id": " "})) == [None, None]
    first, again, other = (keys(marks(JSON_PANEL, hook(batch, headers={"Webhook-Id": id_}))) for id_ in "112")
    assert first == again
    assert len({*first, *other}) == 4


@pytest.mark.parametrize("id_", ["msg_2Kz", "سلام", "\udcff"])
def test_a_webhook_id_may_be_any_bytes(id_: str) -> None:
    assert len(keys(marks(JSON_PANEL, hook([{}], headers={"webhook-id": id_})))) == 1
