"""Try it: what would happen, row by row, and how it would look; nothing is sent, nothing is kept."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.admin.language import language
from bridge.admin.shapes import Verdict
from bridge.admin.trials.dry_run import DryRun, dry_run
from bridge.admin.trials.manner import duration, manner
from bridge.admin.trials.trial import BODY, ELEMENTS, SHOWN, sample_shapes, try_it
from bridge.admin.wording.verdicts import why
from bridge.config.load import load
from bridge.errors import BridgeError, UnknownName
from bridge.messages.catalog import LOCALES
from bridge.panels import CONFIGS
from bridge.routing import Route, Router
from bridge.routing.verdicts import verdicts
from bridge.samples import PANELS, canonical, samples_of
from bridge.sinks import SERVICES
from bridge.terms import DigestWindow, Quiet, Terms
from tests.admin.drawings import Drawing
from tests.fakes import START, an_event
from tests.messages.hostile import texts

SECRET = "s3cr3t-s3cr3t-s3cr3t"
ENGLISH = language("en")
PROVED = f"secret: {SECRET}0123456789012345"
SETTINGS = {
    "json": f"{PROVED}, type: body.type",
    "3x-ui": f"address: https://panel.example.com/{SECRET}, token: {SECRET}",
}
SOURCES = "".join(f"  {panel}: {{panel: {panel}, {SETTINGS.get(panel, PROVED)}}}\n" for panel in PANELS)
FILE = f"""\
sources:
{SOURCES}sinks:
  ops: {{type: discord, url: https://discord.example.com/api/webhooks/1/{SECRET}}}
  team: {{type: slack, token: xoxb-{SECRET}, channel: "#ops"}}
  night: {{type: telegram, token: "123456:{SECRET}{SECRET}", chat_id: -5, locale: fa}}
  phone: {{type: ntfy, topic: {SECRET}}}
  shop: {{type: webhook, url: https://shop.example.com/{SECRET}, format: marzban, secret: {SECRET}}}
  zap: {{type: zapier, url: https://hooks.zapier.com/hooks/catch/1/{SECRET}/}}
  here: {{type: console, format: slack}}
  off: {{type: console, enabled: false}}
routes:
  - {{match: user.*, to: [ops, off]}}
  - {{match: [user.expired, "!user.login"], source: marzban, when: data.owner == 'reseller-7',
     to: [night, ops], stop: yes}}
  - {{match: "node.*", to: [team, night], hold: 30s, fallback: ops, fallback_after: 5m}}
  - {{match: "*", source: [marzban, remnawave], to: [shop, zap, phone, here]}}
  - {{match: "user.*", when: data.nothing.at.all > 3, to: here}}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> DryRun:
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(FILE)
    return dry_run(load(path).config)


@pytest.fixture(autouse=True)
def no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is tried opens none, and asks for no address."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_sample_goes_where_the_table_says_and_each_row_says_why(file: DryRun) -> None:
    tried = try_it(file, at=START, source="marzban", named="user.expired")
    (event,) = tried.events
    assert (event.type, event.subject, event.sentence) == (
        "user.expired",
        "user:alice",
        "It would go to ops, night.",
    )
    assert [(one.row, one.matched, one.to, one.already, one.sentence) for one in event.verdicts] == [
        (
            "route 1",
            True,
            ("ops",),
            (),
            "Yes: user.expired matches user.*; but off is disabled, nothing is kept for it",
        ),
        ("route 2", True, ("night",), ("ops",), "Yes: user.expired matches user.expired, and the condition was true"),
        ("route 3", False, (), (), "Not asked: route 2 stopped the table"),
        ("route 4", False, (), (), "Not asked: route 2 stopped the table"),
        ("route 5", False, (), (), "Not asked: route 2 stopped the table"),
    ]
    assert [one.takes for one in event.verdicts][1] == (
        """match: [user.expired, "!user.login"] · source: marzban · when: data.owner == 'reseller-7' · stop: true"""
    )
    assert [(one.sink, one.service) for one in event.previews] == [("ops", "discord"), ("night", "telegram")]
    assert "alice" in event.previews[0].html  # type: ignore[operator]


def test_how_it_would_be_told_is_said(file: DryRun) -> None:
    (event,) = try_it(file, at=START, source="remnawave", named="node.connection_lost").events
    assert event.verdicts[2].manner == (
        "Held for 30 s, in case node.connection_restored takes it back. "
        "ops is told in its place where it cannot be, or not for 5 min."
    )
    assert event.verdicts[0].sentence == "No: the type is node.connection_lost, which is not among user.*"


def test_a_condition_that_fails_is_told(file: DryRun) -> None:
    (event,) = try_it(file, at=START, source="remnawave", named="user.created").events
    assert event.verdicts[4].sentence.startswith("No: the condition could not be worked out: ")
    assert event.verdicts[1].sentence == "No: it came from remnawave; the row takes only marzban"


@pytest.mark.parametrize("locale", [None, *LOCALES])
def test_previews_are_in_the_language_that_is_asked_for_or_in_each_sinks_own(file: DryRun, locale: str | None) -> None:
    (event,) = try_it(file, at=START, source="marzban", named="user.expired", locale=locale).events
    persian = [
        "تمام" in json.dumps(one.blocks, ensure_ascii=False) or "منقضی" in str(one.blocks) for one in event.previews
    ]
    assert persian == [locale == "fa", locale in (None, "fa")]


@pytest.mark.parametrize("panel", PANELS)
def test_every_sample_of_every_panel_can_be_tried(file: DryRun, panel: str) -> None:
    shapes = sample_shapes(file, panel, START)
    assert [one.type for one in shapes] == [one.type for one in samples_of(panel)]
    for one in shapes:
        tried = try_it(file, at=START, source=panel, named=one.name)
        assert [event.type for event in tried.events] == [one.type]
        assert not tried.set_aside
        for shown in (preview for event in tried.events for preview in event.previews):
            assert shown.fault is None
            Drawing(str(shown.html))


@pytest.mark.parametrize("panel", PANELS)
def test_a_samples_body_means_the_same_when_it_comes_back(file: DryRun, panel: str) -> None:
    """As a page sends it that shows the body to be changed."""
    for one in sample_shapes(file, panel, START):
        named = try_it(file, at=START, source=panel, named=one.name).events[0]
        (back,) = try_it(file, at=START, source=panel, named=one.name, body=one.body.encode()).events
        assert (back.type, back.subject, back.data) == (named.type, named.subject, named.data)


def test_no_secret_is_in_anything_that_is_shown(file: DryRun) -> None:
    for panel in PANELS:
        for one in samples_of(panel):
            assert SECRET not in try_it(file, at=START, source=panel, named=one.native_type).model_dump_json()


def test_what_is_masked_when_it_comes_in_is_masked_when_it_is_tried(file: DryRun) -> None:
    body = json.dumps(
        [{"username": "alice", "action": "user_created", "user": {"subscription_url": "https://x/s/t0k3n"}}]
    )
    tried = try_it(file, at=START, source="marzban", body=body.encode())
    assert tried.events
    assert "t0k3n" not in tried.model_dump_json()


@pytest.mark.parametrize("named", ["user.created", "USER_CREATED", "bridge.lane_parked"])
def test_a_sample_can_be_tried_without_a_source(file: DryRun, named: str) -> None:
    """What the bridge tells of itself, too."""
    (event,) = try_it(file, at=START, named=named).events
    assert event.type == canonical(named)


def test_an_event_is_tried_as_it_is(file: DryRun) -> None:
    one = an_event("user:bob", type_="user.deleted")
    (event,) = try_it(file, at=START, event=one).events
    assert (event.type, event.subject, event.data) == (one.type, one.subject, one.data)


def test_what_is_not_understood_is_set_aside_with_its_reason(file: DryRun) -> None:
    body = json.dumps([{"username": "alice", "action": "user_created"}, 5]).encode()
    tried = try_it(file, at=START, source="marzban", body=body)
    assert [one.subject for one in tried.events] == ["user:alice"]
    assert [(one.path, one.reason) for one in tried.set_aside] == [("[1]", "should be an object")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON: Expecting property name enclosed in double quotes at line 1 column 2"),
        (b"\xff", "the body is not UTF-8 at byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b"5", "the body is neither a JSON object nor an array of them"),
        (b"[" + b"{}," * ELEMENTS + b"{}]", f"the body holds more than {ELEMENTS} events"),
    ],
)
def test_a_body_that_means_nothing_is_set_aside_in_clear_words(file: DryRun, body: bytes, reason: str) -> None:
    tried = try_it(file, at=START, source="marzban", body=body)
    assert tried.events == ()
    assert len(tried.set_aside) == 1
    assert reason in tried.set_aside[0].reason


def test_only_the_first_ones_are_shown_and_the_others_counted(file: DryRun) -> None:
    elements = [{"username": f"u{n}", "action": "user_created"} for n in range(SHOWN + 3)] + [5] * (SHOWN + 2)
    tried = try_it(file, at=START, source="marzban", body=json.dumps(elements).encode())
    assert (len(tried.events), tried.more_events) == (SHOWN, 3)
    assert (len(tried.set_aside), tried.more_set_aside) == (SHOWN, 2)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"source": "nobody", "named": "user.created"}, UnknownName, 'no source is called "nobody": there are marzban'),
        ({"source": "marzban", "named": "node.nothing"}, UnknownName, 'marzban sends no "node.nothing"'),
        ({"source": "marzban"}, BridgeError, "nothing to try: give a body, or the name of a sample"),
        ({"body": b"{}"}, BridgeError, "say which source the body comes from"),
        ({}, BridgeError, "nothing to try: give a source and a body, or the name of a sample"),
        ({"named": "user.nothing"}, UnknownName, 'no event is called "user.nothing"'),
        ({"source": "marzban", "body": b"x" * (BODY + 1)}, BridgeError, "the body has 262,145 bytes: at most 262,144"),
    ],
)
def test_what_is_asked_wrongly_is_said(file: DryRun, asked: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as raised:
        try_it(file, at=START, **asked)
    assert str(raised.value).startswith(says)


@given(text=texts)
@pytest.mark.parametrize("panel", ["marzban", "json", "cloudevents"])
def test_a_hostile_body_is_drawn_as_text(file: DryRun, panel: str, text: str) -> None:
    element = {
        "username": text,
        "action": "user_created",
        "type": text,
        "specversion": "1.0",
        "id": text,
        "source": text,
    }
    tried = try_it(file, at=START, source=panel, body=json.dumps([element | {"note": text, text: text}]).encode())
    for event in tried.events:
        for shown in event.previews:
            Drawing(str(shown.html))


ROUTES = st.builds(
    Route,
    match=st.lists(st.sampled_from(["user.*", "*", "!user.created", "user_created", "node.*"]), min_size=1, max_size=3),
    source=st.none() | st.sampled_from(["marzban", "other"]),
    when=st.none() | st.sampled_from(["true", "false", "data.a.b.c.d > 1", "1 / 0"]),
    to=st.lists(st.sampled_from(["ops", "off"]), min_size=1, max_size=2),
    stop=st.booleans(),
)


@given(routes=st.lists(ROUTES, max_size=5))
def test_every_verdict_has_a_sentence_of_its_own(file: DryRun, routes: list[Route]) -> None:
    """A reason that nobody has words for would be shown as it is kept."""
    rows = [(f"route {number}", route) for number, route in enumerate(routes)]
    event = an_event()
    router = Router(rows, sinks={name: file.sinks[name] for name in ("ops", "off")})
    for one in verdicts(event, router.route(event).decision):
        sentence = why(ENGLISH, Verdict(**one.to_json(), to=()))
        assert sentence.startswith("Yes: " if one.matched else ("No: ", "Not asked: "))
        assert sentence not in (f"Yes: {one.why}", f"No: {one.why}")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (None, ""),
        (Terms(), ""),
        (Terms(hold=30.0), ""),  # nothing takes back that a user was created
        (Terms(digest=DigestWindow(window="90s", max=20)), "Collected for 90 s, and told as one message."),
        (Terms(quiet=Quiet(hours="00:00-23:59")), "Told without a sound: it is quiet until 23:59."),
        (Terms(quiet=Quiet(hours="00:00-23:59", mode="hold")), "Told when it is quiet no more, at 23:59."),
        (Terms(quiet=Quiet(hours="00:00-23:59", mode="drop")), "Not told: it is quiet until 23:59."),
        (Terms(update="subject"), "Edits the last message about the same."),
        (Terms(update="thread"), "Answers the last message about the same."),
        (
            Terms(fallback=("a", "b"), fallback_after=7200),
            "a, b is told in its place where it cannot be, or not for 2 h.",
        ),
    ],
)
def test_terms_are_said_as_a_sentence(terms: Terms | None, said: str) -> None:
    assert manner(ENGLISH, terms, an_event(), START) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.5, "0.5 s"), (90, "90 s"), (300, "5 min"), (7200, "2 h"), (86400, "1 d"), (172800, "2 d")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(ENGLISH, seconds) == said


def test_every_panel_is_tried() -> None:
    assert set(PANELS) == {word for config in CONFIGS for word in config.words()}


def test_the_example_file_can_be_tried() -> None:
    ready = dry_run(load(Path(__file__).parents[2] / "config.example.yaml").config)
    (event,) = try_it(ready, at=START, source="marzban", named="user.created").events
    assert {one.service for one in event.previews} == set(SERVICES)
