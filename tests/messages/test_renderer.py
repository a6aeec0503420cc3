"""Which template speaks, what it may know, and what is said when it fails."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.event import iso
from bridge.markup.service import ServiceLook
from bridge.messages.catalog import LOCALES
from bridge.messages.renderer import Renderer
from bridge.sinks import SERVICES
from bridge.value import replace
from tests.messages.speech import ENGLISH, NOW, PAGER, event, inline, look, said

ALICE = event("user.expired", {"user": {"username": "alice"}, "owner": "shop"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for service in SERVICES:
        (tmp_path / service).mkdir()
    return tmp_path


def renderer(*folders: Path, locale: str = "en") -> Renderer:
    return Renderer(folders=folders, timezone=ZoneInfo("UTC"), locale=locale)


def write(folder: Path, name: str, source: str) -> Path:
    file = folder / name
    file.write_text(source, encoding="utf-8")
    return file


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "UTC", "Asia/Tehran"])
@pytest.mark.parametrize("at", [datetime.min, datetime.max])
def test_the_first_and_the_last_day_of_the_calendar_are_told_in_any_zone(
    service: str, locale: str, zone: str, at: datetime
) -> None:
    at = at.replace(tzinfo=UTC)
    odd = event("user.expiring", {"user": {"username": "alice", "expires_at": iso(at)}, "expiry": {"at": iso(at)}})
    rendered = Renderer(folders=[], timezone=ZoneInfo(zone), locale=locale).render(
        replace(odd, occurred_at=at, received_at=at), look(service)
    )
    assert rendered.fault is None
    assert "alice" in "".join(rendered.blocks.values())


NAMES = ("vip", "user.expired", "user", "base")


@pytest.mark.parametrize("known", range(1, len(NAMES) + 1))
def test_the_closest_template_speaks(folder: Path, known: int) -> None:
    for name in NAMES[-known:]:
        write(folder, f"telegram/{name}.j2", f"{{% block text %}}{name}{{% endblock %}}")
    rendered = renderer(folder).render(ALICE, look("telegram"), "vip")
    assert rendered.blocks == {"text": NAMES[-known], "remarks": ""}
    assert rendered.fault == (None if known == len(NAMES) else "there is no template telegram/vip.j2")


def test_the_first_folder_comes_first(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    second = tmp_path_factory.mktemp("second")
    (second / "slack").mkdir()
    write(folder, "slack/user.j2", "{% block text %}first{% endblock %}")
    write(second, "slack/user.j2", "{% block text %}second{% endblock %}")
    assert said("slack", ALICE, renderer(folder, second))["text"] == "first"
    assert said("slack", ALICE, renderer(second, folder))["text"] == "second"


def test_templates_are_those_of_when_it_was_made_whatever_becomes_of_their_files(folder: Path) -> None:
    changed = write(folder, "slack/user.j2", "{% block text %}as it was{% endblock %}")
    removed = write(folder, "slack/node.j2", '{% block text %}{% include "slack/part.j2" %}{% endblock %}')
    write(folder, "slack/part.j2", "a part")
    taken = renderer(folder)
    changed.write_text("{% block text %}half")
    removed.unlink()
    write(folder, "slack/part.j2", "another part")
    write(folder, "slack/user.expired.j2", "{% block text %}new{% endblock %}")
    assert said("slack", ALICE, taken)["text"] == "as it was"
    assert said("slack", event("node.down", {}), taken)["text"] == "a part"
    assert said("slack", ALICE, renderer(folder))["text"] == "new"


def test_a_folder_may_be_led_to_and_a_circle_ends(folder: Path) -> None:
    write(folder, "slack/user.j2", "{% block text %}by a link{% endblock %}")
    (folder / "discord" / "again").symlink_to(folder)
    (folder / "..data").symlink_to(folder / "slack")
    write(folder, "slack/node.j2", '{% block text %}{% include "..data/part.j2" %}{% endblock %}')
    write(folder, "slack/part.j2", "led to")
    taken = renderer(folder)
    assert said("slack", ALICE, taken)["text"] == "by a link"
    assert said("slack", event("node.down", {}), taken)["text"] == "led to"


def test_a_link_that_nobody_may_follow_is_a_mistake(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one into a folder that only others may search, which is closed to nobody who tests as root."""
    (folder / "slack").mkdir(exist_ok=True)
    link, is_dir = folder / "slack" / "user.j2", Path.is_dir
    link.symlink_to("closed/user.j2")

    def closed(path: Path) -> bool:
        if path == link:
            raise PermissionError(13, "Permission denied")
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", closed)
    [mistake] = renderer(folder).mistakes(SERVICES)
    assert (mistake.file, mistake.line) == (link, 1)


def test_a_pipe_among_the_templates_is_a_mistake_and_nobody_waits_for_it(folder: Path) -> None:
    (folder / "slack").mkdir(exist_ok=True)
    os.mkfifo(pipe := folder / "slack" / "user.j2")
    assert [str(one) for one in renderer(folder).mistakes(SERVICES)] == [f"{pipe}:1: cannot be read: it is no file"]


def test_a_template_overrides_the_blocks_it_names_and_keeps_the_others(folder: Path) -> None:
    write(folder, "discord/user.j2", '{% extends "discord/base.j2" %}{% block title %}Bye {{ name }}{% endblock %}')
    blocks = said("discord", ALICE, renderer(folder))
    assert blocks["title"] == "Bye alice"
    assert {**blocks, "title": ""} == {**said("discord", ALICE), "title": ""}


def test_a_template_may_extend_the_shipped_one_that_it_replaces(folder: Path) -> None:
    source = '{% extends "shipped/discord/base.j2" %}{% block footer %}{{ super() }}!{% endblock %}'
    write(folder, "discord/base.j2", source)
    assert said("discord", ALICE, renderer(folder))["footer"] == said("discord", ALICE)["footer"] + "!"


def test_what_stands_at_the_top_of_a_template_is_known_in_its_blocks(folder: Path) -> None:
    write(folder, "slack/parts.j2", "{% macro greet(who) %}hello {{ who }}{% endmacro %}")
    top = '{% from "slack/parts.j2" import greet %}\n{% set mood = "sad" %}\n'
    write(folder, "slack/user.j2", top + "{% block text %}{{ greet(name) }}, {{ mood }}{% endblock %}")
    assert said("slack", ALICE, renderer(folder))["text"] == "hello alice, sad"


def test_blocks_that_no_template_has_are_empty() -> None:
    loud = replace(SERVICES["slack"], blocks=("text", "sound"))
    assert ENGLISH.render(ALICE, ServiceLook(loud)).blocks["sound"] == ""


def test_only_the_blocks_that_are_asked_for_are_run(folder: Path) -> None:
    write(folder, "slack/user.j2", "{% block text %}fine{% endblock %}{% block other %}{{ 1 / 0 }}{% endblock %}")
    assert said("slack", ALICE, renderer(folder))["text"] == "fine"


@pytest.mark.parametrize(
    ("source", "line", "why"),
    [
        ("{% block text %}\n{% if %}{% endblock %}", 2, "Expected an expression"),
        ("{% block text %}\n\n{{ 1 / 0 }}{% endblock %}", 3, "ZeroDivisionError: division by zero"),
        ("{% block text %}{{ name|shout }}{% endblock %}", 1, "No filter named 'shout'"),
        ('\n{% extends "slack/nowhere.j2" %}', 2, "there is no template slack/nowhere.j2"),
        ('{% extends "slack/user.j2" %}', 1, "RecursionError"),
        ("{% block text %}{% for x in 5 %}{% endfor %}{% endblock %}", 1, "TypeError"),
        ("{% block text %}{{ name.nothing() }}{% endblock %}", 1, "'str object' has no attribute 'nothing'"),
        ("{% block text %}{{ data.user.clear() }}{% endblock %}", 1, "clear"),
        ("{% block text %}{{ 'a' * 10 ** 12 }}{% endblock %}", 1, "OverflowError"),
    ],
)
def test_a_failing_template_never_loses_the_message(folder: Path, source: str, line: int, why: str) -> None:
    file = write(folder, "slack/user.j2", source)
    rendered = renderer(folder).render(ALICE, look("slack"))
    assert rendered.blocks == said("slack", ALICE)
    assert rendered.fault is not None
    assert rendered.fault.startswith(f"{file}:{line}: "), rendered.fault
    assert why in rendered.fault


def test_a_template_that_is_no_text_is_a_fault(folder: Path) -> None:
    (folder / "slack" / "user.j2").write_bytes(b"\xff\xfe")
    rendered = renderer(folder).render(ALICE, look("slack"))
    assert rendered.blocks == said("slack", ALICE)
    assert "UnicodeDecodeError" in (rendered.fault or "")


@pytest.mark.parametrize("service", SERVICES)
def test_the_operators_base_does_not_bring_down_the_fallback(folder: Path, service: str) -> None:
    write(folder, f"{service}/base.j2", "{{ broken")
    rendered = renderer(folder).render(ALICE, look(service))
    assert rendered.blocks == said(service, ALICE)
    assert rendered.fault


def test_where_no_template_speaks_the_bare_facts_are_said() -> None:
    rendered = ENGLISH.render(ALICE, ServiceLook(PAGER))
    assert rendered.blocks == {"beep": "user.expired\nuser:alice", "remarks": ""}
    assert rendered.fault


@pytest.mark.parametrize("type_", ["../../etc/passwd", "a/b", "", ".", "..", "x\x00y", "é" * 300, "{{ 7*7 }}"])
def test_an_odd_type_is_no_path(type_: str) -> None:
    for service in SERVICES:
        said(service, event(type_, {}))


def test_mistakes_names_every_template_that_cannot_be_used(folder: Path) -> None:
    broken = write(folder, "slack/user.j2", "{% block text %}\n{% if %}")
    lost = write(folder, "discord/node.j2", '{# a #}\n{% extends "discord/bace.j2" %}')
    itself = write(folder, "telegram/base.j2", '{% extends "telegram/base.j2" %}')
    binary = folder / "telegram" / "user.j2"
    binary.write_bytes(b"\xff")
    write(folder, "telegram/fine.j2", '{% include "telegram/maybe.j2" ignore missing %}{% block text %}{% endblock %}')
    write(folder, "telegram/notes.txt", "{{ not a template")
    found = [(mistake.file, mistake.line, mistake.message) for mistake in renderer(folder).mistakes(SERVICES)]
    assert found == [
        (lost, 2, "there is no template discord/bace.j2"),
        (broken, 2, "Expected an expression, got 'end of statement block'"),
        (itself, 1, "extends itself; the shipped one is shipped/telegram/base.j2"),
        (binary, 1, "is not UTF-8 at byte 0"),
    ]


def test_the_shipped_templates_have_no_mistakes(tmp_path: Path) -> None:
    assert renderer(tmp_path).mistakes(SERVICES) == []
    assert renderer(tmp_path / "nowhere").mistakes(SERVICES) == []


def test_a_row_may_name_what_is_there(folder: Path) -> None:
    write(folder, "slack/vip.j2", "{{ broken")
    write(folder, "slack/deep.j2", f"{{{{ {'(' * 3000}1{')' * 3000} }}}}")
    speaker = renderer(folder)
    assert speaker.exists(SERVICES["slack"], "vip")
    assert speaker.exists(SERVICES["slack"], "deep")  # what is wrong with it is told beside
    assert speaker.exists(SERVICES["slack"], "base")
    assert not speaker.exists(SERVICES["discord"], "vip")
    assert not speaker.exists(SERVICES["slack"], "../slack/base")
    assert not speaker.exists(PAGER, "base")


def test_a_sink_may_speak_another_language_than_the_file() -> None:
    assert "کاربر" in said("slack", ALICE, renderer(locale="en"), locale="fa")["text"]
    assert said("slack", ALICE, renderer(locale="fa"), locale="en") == said("slack", ALICE)
    assert said("slack", ALICE, renderer(locale="xx")) == said("slack", ALICE)


def test_templates_know_the_event() -> None:
    one = event(
        "node.updated",
        {"node": {"name": "fra"}},
        "node:fra:1",
        source="main",
        panel="remnawave",
        native={"a": [1]},
        occurred_at=datetime(2026, 11, 21, 4, 4, tzinfo=UTC),
        received_at=NOW + timedelta(hours=1),
    )
    source = (
        "{{ event.id }} {{ type }} {{ family }} {{ subject }} {{ name }} {{ kind }} {{ source }} {{ panel }} "
        "{{ native.a[0] }} {{ data.node.name }} {{ locale }} {{ occurred_at.hour }} {{ received_at.minute }}"
    )
    tehran = Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale="en")
    assert inline(source, one, tehran).blocks["body"] == (
        "0193-test node.updated node node:fra:1 fra:1 Node main remnawave 1 fra en 7 34"
    )


def test_what_is_not_known_is_nothing() -> None:
    source = "[{{ data.nothing }}{{ data.no.thing.at.all }}{{ none }}{{ subject.x }}{{ data.user.email|size }}]"
    assert inline(source, event("x", {"user": {}}, None)).blocks["body"] == "[]"


def test_little_templates_are_not_escaped() -> None:
    one = event("x", {"user": {"username": "<@1> *a* & @everyone"}})
    assert inline("{{ data.user.username }}", one).blocks["body"] == "<@1> *a* & @everyone"
    assert (
        inline("{{ data.user.username|urlencode }}", one).blocks["body"] == "%3C%401%3E%20%2Aa%2A%20%26%20%40everyone"
    )


def test_little_templates_write_json() -> None:
    one = event("x", {"user": {"username": 'a"</script>é', "id": 7}})
    source = '{"name": {{ data.user.username|tojson }}, "no": {{ data.x.y|tojson }}, "user": {{ data.user|tojson }}}'
    assert inline(source, one).blocks["body"] == (
        '{"name": "a\\"</script>é", "no": null, "user": {"username": "a\\"</script>é", "id": 7}}'
    )


def test_a_failing_little_template_says_nothing_and_the_rest_is_said() -> None:
    rendered = ENGLISH.render(
        ALICE, look("slack", inline=(("body", "{{ 1 / 0 }}"), ("more", "{{ name }}"), ("bad", "{{")))
    )
    assert rendered.blocks == {**said("slack", ALICE), "body": "", "more": "alice", "bad": ""}
    assert rendered.fault is not None
    assert rendered.fault.startswith("body: inline:1: ZeroDivisionError")
    assert "bad: inline:1: " in rendered.fault


def test_a_little_template_that_does_not_compile_is_told_beforehand() -> None:
    assert ENGLISH.wrong("{{ name }}") is None
    assert "inline:1: " in (ENGLISH.wrong("{{ name") or "")


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ event.__class__.__init__.__globals__ }}",
        "{{ event.to_json.__globals__ }}",
        "{{ gettext.__globals__ }}",
        "{{ facts.__closure__ }}",
        "{{ (name|bold).__class__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ data|attr('__class__') }}",
        "{{ '{0.__class__}'.format(event) }}",
        "{{ '%s'|format(event.__init__) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ data.update(x=1) }}",
        "{{ data.user.clear() }}",
        "{{ data.__setitem__('x', 1) }}",
        "{% set data.x = 1 %}",
        "{{ range(100000000)|length }}",
        "{% include '/etc/passwd' %}",
        "{% include '../pyproject.toml' %}",
    ],
)
def test_templates_reach_nothing_beyond_their_event(attack: str) -> None:
    data = {"user": {"username": "alice"}}
    rendered = inline(attack, event("x", data))
    assert not rendered.blocks["body"].strip()
    assert data == {"user": {"username": "alice"}}
