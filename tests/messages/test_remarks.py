"""What is said of a message beside its event: a replay, a fallback, repeats, and how long a trouble lasted."""

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume
from hypothesis import given as generated

from bridge.markup.service import ServiceLook
from bridge.message import PLAIN, RECORD, UNIT, Circumstances, Reminder
from bridge.messages.catalog import LOCALES, catalog
from bridge.messages.renderer import Renderer
from bridge.messages.values import given as shows
from bridge.samples import samples
from bridge.sinks import SERVICES
from tests.messages.hostile import HOSTILE, harmless, texts
from tests.messages.speech import ENGLISH, EVERYTHING, NOW, PAGER, after, circumstances, event, inline, look, said

SAMPLES = samples(at=NOW)
RENDERERS = {locale: Renderer(folders=[], timezone=ZoneInfo("UTC"), locale=locale) for locale in LOCALES}
ALICE = event("user.expired", {"user": {"username": "alice"}})
BACK = event("node.connection_restored", {"node": {"name": "fra-1"}}, "node:fra-1")
EVERY_REMARK = Circumstances(test=True, replay=True, instead="7", reminder=Reminder(2, 5, 7500), repeats=12)
ELSEWHERE = Circumstances(instead="ops: HTTP 404; gave up after 4 attempts")


def remarks(service: str, circumstances: Circumstances, renderer: Renderer = ENGLISH) -> str:
    rendered = renderer.render(ALICE, look(service), None, circumstances)
    assert rendered.fault is None, rendered.fault
    return rendered.blocks["remarks"]


def with_template(folder: Path, name: str, source: str) -> Renderer:
    file = folder / f"{name}.j2"
    file.parent.mkdir(exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return Renderer(folders=[folder], timezone=ZoneInfo("UTC"), locale="en")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "circumstances", [PLAIN, Circumstances(), Circumstances(silent=True), after("user.created", hours=1)]
)
def test_of_most_messages_there_is_nothing_to_remark(service: str, circumstances: Circumstances) -> None:
    assert remarks(service, circumstances) == ""


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("circumstances", "words"),
    [
        (Circumstances(test=True), "🧪 Test message: nothing has happened"),
        (Circumstances(replay=True), "🔁 Replay"),
        (Circumstances(instead="ops: gone"), "↪️ Instead of ops: gone"),
        (Circumstances(instead=""), ""),
        (Circumstances(reminder=Reminder(2, 5, 7500)), "⏰ Still so after 2 h 5 min · reminder 2 of 5"),
        (Circumstances(repeats=2), "×2"),
        (Circumstances(repeats=1200), "×1,200"),
        (Circumstances(replay=True, instead="ops", repeats=2), "🔁 Replay\n↪️ Instead of ops\n×2"),
    ],
)
def test_each_remark_is_a_line(service: str, circumstances: Circumstances, words: str) -> None:
    assert remarks(service, circumstances) == words.replace("ops: gone", SERVICES[service].text.escape("ops: gone"))


@pytest.mark.parametrize("locale", ["fa", "ru"])
@pytest.mark.parametrize("service", SERVICES)
def test_remarks_are_said_in_every_language(service: str, locale: str) -> None:
    words = remarks(service, EVERY_REMARK, RENDERERS[locale])
    assert not re.search("[A-Za-z]", words)
    assert catalog(locale).gettext("Test message: nothing has happened") in words
    assert catalog(locale).gettext("Replay") in words
    assert [line.lstrip("\u200f")[0] for line in words.splitlines()] == ["🧪", "🔁", "↪", "⏰", "×"]


def test_what_happened_elsewhere_is_read_on_its_own_in_a_text_from_right_to_left() -> None:
    for line in remarks("telegram", Circumstances(instead="ops: HTTP 404", repeats=2), RENDERERS["fa"]).splitlines():
        assert line.startswith("\u200f")
    assert "\u2068ops: HTTP 404\u2069" in remarks("telegram", Circumstances(instead="ops: HTTP 404"), RENDERERS["fa"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_long_story_is_cut(service: str) -> None:
    words = remarks(service, Circumstances(instead="ops: " + "x" * 5000))
    assert len(words) < 350
    assert words.endswith("…")


@pytest.mark.parametrize("service", SERVICES)
@generated(texts)
def test_a_hostile_story_pings_nobody_breaks_nothing_and_forges_no_line(service: str, text: str) -> None:
    assume(shows(text))
    words = remarks(service, Circumstances(replay=True, instead=text, repeats=2))
    assert words.count("\n") == 2
    assert not set(words) & {RECORD, UNIT}
    harmless(service, {"remarks": words})


@pytest.mark.parametrize("service", SERVICES)
def test_a_template_that_overrides_the_base_inherits_its_remarks(tmp_path: Path, service: str) -> None:
    source = f'{{% extends "{service}/base.j2" %}}{{% block {SERVICES[service].blocks[0]} %}}mine{{% endblock %}}'
    rendered = with_template(tmp_path, f"{service}/user", source).render(ALICE, look(service), None, ELSEWHERE)
    assert rendered.fault is None
    assert rendered.blocks["remarks"] == remarks(service, ELSEWHERE)


@pytest.mark.parametrize("name", ["user", "base"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_template_without_remarks_takes_the_shipped_ones(tmp_path: Path, service: str, name: str) -> None:
    source = f"{{% block {SERVICES[service].blocks[0]} %}}mine{{% endblock %}}"
    rendered = with_template(tmp_path, f"{service}/{name}", source).render(ALICE, look(service), None, ELSEWHERE)
    assert rendered.fault is None
    assert rendered.blocks[SERVICES[service].blocks[0]] == "mine"
    assert rendered.blocks["remarks"] == remarks(service, ELSEWHERE)


def test_a_template_may_have_remarks_of_its_own(tmp_path: Path) -> None:
    source = '{% extends "shipped/slack/base.j2" %}{% block remarks %}see {{ instead }}{% endblock %}'
    renderer = with_template(tmp_path, "slack/base", source)
    assert (
        renderer.render(ALICE, look("slack"), None, Circumstances(instead="<x>")).blocks["remarks"] == "see &lt;x&gt;"
    )


def test_nothing_is_run_for_a_plain_message(tmp_path: Path) -> None:
    """The block would fail."""
    source = "{% block text %}fine{% endblock %}{% block remarks %}{{ 1 / 0 }}{% endblock %}"
    renderer = with_template(tmp_path, "slack/user", source)
    for given in (PLAIN, Circumstances()):
        rendered = renderer.render(ALICE, look("slack"), None, given)
        assert (rendered.blocks, rendered.fault) == ({"text": "fine", "remarks": ""}, None)


def test_failing_remarks_are_a_fault_and_the_shipped_template_speaks(tmp_path: Path) -> None:
    source = "{% block text %}fine{% endblock %}{% block remarks %}{{ 1 / 0 }}{% endblock %}"
    rendered = with_template(tmp_path, "slack/user", source).render(ALICE, look("slack"), None, ELSEWHERE)
    assert rendered.blocks == {**said("slack", ALICE), "remarks": remarks("slack", ELSEWHERE)}
    assert "ZeroDivisionError" in (rendered.fault or "")


def test_the_bare_words_have_their_remarks_too() -> None:
    given = Circumstances(test=True, replay=True, instead="ops:\ngone", repeats=3)
    rendered = ENGLISH.render(ALICE, ServiceLook(PAGER), None, given)
    assert rendered.blocks == {"beep": "user.expired\nuser:alice", "remarks": "🧪\n🔁\n↪️ ops: gone\n×3"}


def test_a_service_of_the_operators_own_without_remarks_has_the_bare_ones(tmp_path: Path) -> None:
    renderer = with_template(tmp_path, "pager/base", "{% block beep %}{{ name }}{% endblock %}")
    rendered = renderer.render(ALICE, ServiceLook(PAGER), None, Circumstances(repeats=3))
    assert rendered.blocks == {"beep": "alice", "remarks": "×3"}


def test_a_sink_without_templates_has_no_remarks() -> None:
    assert ENGLISH.render(ALICE, ServiceLook(inline=(("body", "{{ instead }}"),)), None, ELSEWHERE).blocks == {
        "body": ELSEWHERE.instead
    }


def test_templates_know_the_circumstances() -> None:
    source = "{{ replay }} {{ instead }} {{ repeats }} {{ earlier.type }} {{ earlier.ref }} {{ downtime }}"
    rendered = ENGLISH.render(BACK, ServiceLook(inline=(("body", source),)), None, circumstances(BACK))
    assert rendered.blocks["body"] == "True ops: HTTP 404; gave up 12 node.connection_lost 1 720.0"
    assert inline(source, BACK).blocks["body"] == "False  1   "


@pytest.mark.parametrize(
    ("type_", "label"),
    [
        ("node.connection_restored", "Downtime"),
        ("my.own.connection_restored", "Downtime"),
        ("peer.connected", "Offline For"),
        ("device.connected", "Offline For"),
        ("node.enabled", "Disabled For"),
        ("user.enabled", "Disabled For"),
    ],
)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("service", SERVICES)
def test_good_news_say_how_long_the_trouble_lasted(service: str, locale: str, type_: str, label: str) -> None:
    bad = {"restored": "connection_lost", "connected": "disconnected", "enabled": "disabled"}[
        type_.split("_")[-1].split(".")[-1]
    ]
    one = event(type_, {})
    family = type_.rpartition(".")[0]
    rendered = RENDERERS[locale].render(one, look(service), None, after(f"{family}.{bad}", hours=2, minutes=5))
    text = catalog(locale).gettext
    lasted = text("%(n)s h %(m)s min") % {"n": 2, "m": 5}
    words = "\n".join(rendered.blocks.values())
    assert rendered.fault is None
    assert words.count(text(label)) == 1
    assert lasted in words.partition(text(label))[2]
    assert SERVICES[service].long_values or text("after %(time)s") % {"time": lasted} in words
    assert text(label) not in "\n".join(said(service, one, RENDERERS[locale]).values())


@pytest.mark.parametrize(
    ("type_", "earlier"),
    [
        ("node.connection_lost", after("node.connection_restored", hours=2)),
        ("node.connection_restored", after("node.connection_restored", hours=2)),
        ("node.connection_restored", after("peer.disconnected", hours=2)),
        ("node.connection_restored", after("node.disabled", hours=2)),
        ("user.updated", after("user.created", hours=2)),
        ("node.connection_restored", after("node.connection_lost", hours=0)),
        ("node.connection_restored", after("node.connection_lost", hours=-2)),
    ],
)
@pytest.mark.parametrize("service", SERVICES)
def test_where_no_trouble_ended_nothing_is_said_of_one(service: str, type_: str, earlier: Circumstances) -> None:
    one = event(type_, {"node": {"name": "fra-1"}})
    assert ENGLISH.render(one, look(service), None, earlier).blocks == said(service, one)


def test_the_downtime_comes_first_among_the_facts() -> None:
    one = event(BACK.type, {"node": {"name": "fra-1", "address": "10.0.0.1"}}, BACK.subject)
    blocks = ENGLISH.render(one, look("discord"), None, after("node.connection_lost", minutes=12)).blocks
    assert "Address" in blocks["fields"]
    assert blocks["description"] == "`fra-1` · **after 12 min**"
    assert blocks["fields"].startswith(UNIT.join(("Downtime", "12 min", "inline")) + RECORD)


def test_slack_says_the_downtime_under_the_events_details() -> None:
    blocks = ENGLISH.render(BACK, look("slack"), None, after("node.connection_lost", minutes=12)).blocks
    assert blocks["text"].endswith("📝 *Event Details*\n-------------------\n• Downtime: 12 min")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("service", SERVICES)
def test_every_type_may_come_with_all_circumstances(service: str, locale: str) -> None:
    for sample in SAMPLES:
        rendered = RENDERERS[locale].render(sample, look(service), None, circumstances(sample))
        assert rendered.fault is None, rendered.fault
        assert rendered.blocks["remarks"].count("\n") == 3
        for block in rendered.blocks.values():
            assert not re.search(r"None|Undefined|%\(|\n\s*\n\s*\n|: *$", block, re.MULTILINE), block


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_hostile_event_is_harmless_in_all_circumstances(locale: str, text: str) -> None:
    data: dict[str, Any] = {**EVERYTHING, "node": {"name": text}, "reason": text}
    one = event("node.connection_restored", data, f"node:{text}")
    for service in SERVICES:
        rendered = RENDERERS[locale].render(one, look(service), None, circumstances(one))
        assert rendered.fault is None
        harmless(service, rendered.blocks)
