"""Digests: how many events of which type, in every service and language, whatever the types are called."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as generated

from bridge.markup.service import ServiceLook
from bridge.message import PLAIN, Circumstances, DigestTally
from bridge.messages import last_resort
from bridge.messages.catalog import LOCALES, catalog
from bridge.messages.renderer import Renderer
from bridge.messages.values import given as shows
from bridge.sinks import SERVICES
from bridge.vocabulary import TYPES
from bridge.vocabulary.types import AMBER, BLUE, GREEN, GREY, RED
from tests.messages.hostile import HOSTILE, harmless, texts
from tests.messages.speech import ENGLISH, NOW, PAGER, event, look, said, tally

RENDERERS = {locale: Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale=locale) for locale in LOCALES}


def counted(seconds: float = 60, *, storm: bool = False, **kinds: int) -> DigestTally:
    named = {name.replace("__", "."): count for name, count in kinds.items()}
    return DigestTally(kinds=named, shown=2, first_at=NOW, last_at=NOW + timedelta(seconds=seconds), storm=storm)


def digest(
    service: str, of: DigestTally, renderer: Renderer = ENGLISH, circumstances: Circumstances | None = None
) -> dict[str, str]:
    """The blocks of a digest, which must not have failed."""
    rendered = renderer.digest(of, look(service), circumstances or Circumstances())
    assert rendered.fault is None, rendered.fault
    assert tuple(rendered.blocks) == (*SERVICES[service].digest_blocks, "remarks")
    return dict(rendered.blocks)


#: Blocks that say nothing to people.
UNSAID = ("language", "direction")


def words(blocks: dict[str, str]) -> str:
    return "\n".join(block for name, block in blocks.items() if name not in UNSAID)


def with_template(folder: Path, name: str, source: str) -> Renderer:
    file = folder / f"{name}.j2"
    file.parent.mkdir(exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return Renderer(folders=[folder], timezone=ZoneInfo("UTC"), locale="en")


TWENTY = counted(user__created=8, user__expired=12)


def test_discord_says_a_digest_in_an_embed() -> None:
    assert digest("discord", TWENTY) == {
        "title": "📬 20 events in 1 min",
        "description": "⌛ User expired ×12\n🆕 User created ×8",
        "color": str(RED),
        "footer": "2026-11-21 04:04 – 04:05 UTC",
        "more": "… and {more} more",
        "remarks": "",
    }


def test_slack_says_a_digest_in_lines() -> None:
    assert digest("slack", TWENTY) == {
        "text": "📬 *20 events in 1 min*\nTime: 2026-11-21 04:04 – 04:05 UTC\n\n"
        "• ⌛ User expired ×12\n• 🆕 User created ×8",
        "more": "… and {more} more",
        "remarks": "",
    }


def test_telegram_says_a_digest_in_lines() -> None:
    assert digest("telegram", TWENTY) == {
        "text": "📬 <b>20 events in 1 min</b>\n\n⌛ User expired ×12\n🆕 User created ×8\n\n"
        "2026-11-21 04:04 – 04:05 UTC",
        "more": "… and {more} more",
        "remarks": "",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_storm_is_called_one(service: str) -> None:
    said = words(digest(service, counted(190, storm=True, user__expired=5000)))
    assert "🌊" in said
    assert "Many at once: 5,000 events in 3 min 10 s" in said
    assert "📬" not in said


@pytest.mark.parametrize("service", SERVICES)
def test_events_of_one_moment_have_one_time_and_no_span(service: str) -> None:
    said = words(digest(service, counted(0, user__created=2)))
    assert "2 events" in said
    assert " in " not in said
    assert said.count("04:04") == 1


def test_one_event_is_counted_in_the_singular() -> None:
    assert digest("discord", counted(0, user__created=1))["title"] == "📬 1 event"


def test_the_days_are_told_where_they_differ() -> None:
    assert digest("discord", counted(86400, user__created=2))["footer"] == "2026-11-21 04:04 – 2026-11-22 04:04 UTC"


@pytest.mark.parametrize(
    ("kinds", "color"),
    [
        ({"user.created": 999, "user.expired": 1}, RED),
        ({"user.created": 5, "user.limited": 1}, AMBER),
        ({"user.created": 5, "user.limited": 3, "user.expired": 1}, RED),
        ({"user.created": 5, "user.updated": 6}, BLUE),
        ({"user.created": 6, "user.updated": 5}, GREEN),
        ({"user.created": 5, "user.updated": 5}, GREEN),
        ({"my.own": 5}, GREY),
        ({}, BLUE),
    ],
)
def test_the_colour_is_that_of_what_is_worst_or_of_what_there_is_most_of(kinds: dict[str, int], color: int) -> None:
    of = DigestTally(kinds=kinds, shown=0, first_at=NOW, last_at=NOW)
    assert digest("discord", of)["color"] == str(color)


@pytest.mark.parametrize(
    ("kinds", "lines", "rest"),
    [(1, 1, ""), (2, 2, ""), (15, 15, ""), (16, 15, "… and 1 more kind"), (1000, 15, "… and 985 more kinds")],
)
@pytest.mark.parametrize("service", SERVICES)
def test_no_more_than_fifteen_kinds_are_named(service: str, kinds: int, lines: int, rest: str) -> None:
    of = tally(kinds, each=2000)
    blocks = digest(service, of)
    said = words(blocks)
    assert said.count("×2,000") == lines
    assert re.findall(r"… and .* more kinds?", said) == ([rest] if rest else [])
    assert f"{of.total:,} events" in said
    assert len(said) < 1500


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("service", SERVICES)
def test_the_place_for_the_number_of_further_events_survives(service: str, locale: str) -> None:
    more = digest(service, TWENTY, RENDERERS[locale])["more"]
    assert more.count("{more}") == 1
    assert more.replace("{more}", "12") == more.format(more="12")


@pytest.mark.parametrize("locale", ["fa", "ru"])
@pytest.mark.parametrize("storm", [False, True])
@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_left_in_english(service: str, locale: str, storm: bool) -> None:
    for seconds in (0, 45, 75, 3700, 90000):
        of = DigestTally(
            kinds=dict.fromkeys(TYPES, 2), shown=1, first_at=NOW, last_at=NOW + timedelta(seconds=seconds), storm=storm
        )
        said = words(digest(service, of, RENDERERS[locale], Circumstances(replay=True)))
        said = re.sub(r"<[^>]*>|\{more\}|IP|API", "", said)
        assert not re.search("[A-Za-z]", said.replace("UTC", "")), said


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("service", SERVICES)
def test_every_type_is_called_by_its_title(service: str, locale: str) -> None:
    for type_, known in TYPES.items():
        said = words(digest(service, counted(**{type_.replace(".", "__"): 3}), RENDERERS[locale]))
        assert f"{known.emoji} " in said
        assert catalog(locale).gettext(known.title) in said


def test_russian_counts_in_russian() -> None:
    for count, title in ((1, "1 событие"), (3, "3 события"), (5, "5 событий"), (5021, "5\u00a0021 событие")):
        assert digest("discord", counted(0, user__created=count), RENDERERS["ru"])["title"] == f"📬 {title}"


def test_persian_keeps_its_direction_and_its_calendar() -> None:
    text = digest("telegram", counted(user__created=3, my__own=2), RENDERERS["fa"])["text"]
    assert all(line.startswith("\u200f") for line in text.splitlines() if line)
    assert "\u2068My: own\u2069 ×2" in text
    assert "\u20681405/08/30 07:34 – 07:35 UTC+03:30\u2069" in text


@pytest.mark.parametrize("service", SERVICES)
@generated(texts)
def test_hostile_types_ping_nobody_break_nothing_and_forge_no_line(service: str, text: str) -> None:
    for type_ in (text, f"json.{text}"):
        of = DigestTally(kinds={type_: 3, "user.created": 2}, shown=1, first_at=NOW, last_at=NOW)
        benign = digest(service, counted(0, json__x=3, user__created=2))
        blocks = digest(service, of)
        for name, block in blocks.items():
            assert block.count("\n") == benign[name].count("\n")
            assert "{more}" in block or name != "more"
        harmless(service, blocks)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("service", SERVICES)
def test_a_digest_has_its_remarks_escaped(service: str, text: str) -> None:
    remarks = digest(service, TWENTY, circumstances=Circumstances(replay=True, instead=text))["remarks"]
    assert remarks.startswith("🔁 Replay")
    assert remarks.count("\n") == (1 if shows(text) else 0)
    harmless(service, {"remarks": remarks})


def test_the_operators_template_speaks_first(tmp_path: Path) -> None:
    kinds = "{% for emoji, title, count in kinds %} {{ title|bold }}={{ count }}{% endfor %}"
    source = f"{{% block text %}}{{{{ total }}}}/{{{{ shown }}}}{kinds}{{% endblock %}}"
    rendered = with_template(tmp_path, "slack/digest", source).digest(TWENTY, look("slack"))
    assert rendered.fault is None
    assert rendered.blocks == {"text": "20/2 *User expired*=12 *User created*=8", "more": "", "remarks": ""}


def test_the_operators_template_may_extend_the_shipped_one(tmp_path: Path) -> None:
    source = '{% extends "shipped/discord/digest.j2" %}{% block title %}{{ super() }}!{% endblock %}'
    blocks = with_template(tmp_path, "discord/digest", source).digest(TWENTY, look("discord")).blocks
    assert blocks == {**digest("discord", TWENTY), "title": "📬 20 events in 1 min!"}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% block text %}{{ 1 / 0 }}{% endblock %}", "ZeroDivisionError"),
        ("{% block text %}{% if %}{% endblock %}", "Expected an expression"),
        ("{% block text %}{% for l, v, w in facts() %}{% endfor %}{% endblock %}", "event"),
        ('{% extends "slack/digest.j2" %}', "RecursionError"),
    ],
)
def test_a_failing_template_never_loses_the_digest(tmp_path: Path, source: str, why: str) -> None:
    rendered = with_template(tmp_path, "slack/digest", source).digest(TWENTY, look("slack"))
    assert rendered.blocks == digest("slack", TWENTY)
    assert why in (rendered.fault or "")


@pytest.mark.parametrize("place", ["digest", "base"])
def test_where_no_template_speaks_the_bare_counts_are_said(tmp_path: Path, place: str) -> None:
    renderer = with_template(tmp_path, f"pager/{place}", "{{ broken")
    of = DigestTally(kinds={"user.expired": 12, "x\ny": 3}, shown=0, first_at=NOW, last_at=NOW)
    rendered = renderer.digest(of, ServiceLook(PAGER), Circumstances(replay=True, instead="ops: gone"))
    assert rendered.blocks == {
        "text": "📬 ×15\nuser.expired ×12\nx y ×3",
        "more": "… +{more}",
        "remarks": "🔁\n↪️ ops: gone",
    }
    assert rendered.fault


@pytest.mark.parametrize("service", SERVICES)
def test_the_bare_counts_are_harmless_and_few(service: str) -> None:
    of = DigestTally(kinds=dict.fromkeys([*HOSTILE, *map(str, range(1000))], 1), shown=0, first_at=NOW, last_at=NOW)
    said = last_resort.digest_blocks(of, SERVICES[service], PLAIN)
    assert words(said).count("×") <= 17
    harmless(service, said)


def test_a_sink_without_templates_has_no_blocks() -> None:
    assert ENGLISH.digest(TWENTY, ServiceLook()).blocks == {}


def test_a_digest_is_said_in_the_language_of_its_sink() -> None:
    assert "событий" in ENGLISH.digest(TWENTY, look("slack", locale="ru")).blocks["text"]


@pytest.mark.parametrize("type_", ["digest", "digest.weekly"])
def test_the_template_of_digests_is_no_template_of_events(type_: str) -> None:
    assert "alice" in said("telegram", event(type_, {"user": {"username": "alice"}}))["text"]


def test_digest_is_a_template_like_others(tmp_path: Path) -> None:
    renderer = with_template(tmp_path, "slack/digest", "{% block text %}\n{% if %}")
    assert renderer.exists(SERVICES["slack"], "digest")
    assert [(one.file.name, one.line) for one in renderer.mistakes(SERVICES)] == [("digest.j2", 2)]


def test_times_are_told_in_the_configured_zone(tmp_path: Path) -> None:
    (tmp_path / "slack").mkdir()
    (tmp_path / "slack" / "digest.j2").write_text(
        "{% block text %}{{ first_at.hour }} {{ last_at.hour }} {{ lasted }} {{ storm }}{% endblock %}",
        encoding="utf-8",
    )
    tehran = Renderer(folders=[tmp_path], timezone=ZoneInfo("Asia/Tehran"), locale="en")
    of = DigestTally(
        kinds={"user.created": 1},
        shown=1,
        first_at=datetime(2026, 11, 21, 4, tzinfo=UTC),
        last_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
    )
    assert tehran.digest(of, look("slack")).blocks["text"] == "7 12 18000.0 False"
