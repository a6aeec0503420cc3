"""Templates that nothing will ever ask for: their folder, their file, a block, a name in them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.sinks.chats import SERVICES
from tests.config.files import SINK, loaded

FILE = "templates: mine\nsources:\n  m: {panel: marzban, secret: x}\n" + SINK + "routes:\n  - {to: ops%s}\n"
TITLE = "{% block title %}x{% endblock %}"


def found(folder: Path, files: Mapping[str, str], text: str = FILE % "") -> list[str]:
    for name, content in files.items():
        (folder / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mine" / name).write_text(content)
    return [f"{one.where('')}: {one.text}".removeprefix(f"{folder}/mine/") for one in loaded(folder, text).warnings]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        # folders
        ("discrod/user.j2", TITLE, "discrod:1:1: no service is called discrod: did you mean discord?"),
        ("Discord/user.j2", TITLE, "Discord:1:1: no service is called Discord: did you mean discord?"),
        ("tg/user.j2", TITLE, "tg:1:1: no service is called tg"),
        ("user.j2", TITLE, f"user.j2:1:1: stands in no service's folder: there are {', '.join(sorted(SERVICES))}"),
        (
            "announcements/prices.j2",
            "{% block de %}x{% endblock %}",
            "announcements/prices.j2:1:1: nothing asks for a block called de",
        ),
        (
            "announcements/prices.j2",
            "{% block en %}{{ me.name }} {{ start|when }} {{ end }} {{ data }}{% endblock %}",
            "announcements/prices.j2:1:1: nothing is called data",
        ),
        # files
        (
            "discord/user.expierd.j2",
            TITLE,
            "discord/user.expierd.j2:1:1: no event has the type user.expierd, and no row names it: "
            "did you mean user.expired?",
        ),
        (
            "discord/user_expired.j2",
            TITLE,
            "discord/user_expired.j2:1:1: no event has the type user_expired, and no row names it: "
            "did you mean user.expired?",
        ),
        (
            "discord/users.j2",
            TITLE,
            "discord/users.j2:1:1: no event has the type users, and no row names it: did you mean user?",
        ),
        ("discord/user.html", TITLE, "discord/user.html:1:1: is not read: a template's name ends in .j2"),
        # blocks
        (
            "discord/user.j2",
            "{% block color %}1{% endblock %}\n{% block titel %}x{% endblock %}",
            "discord/user.j2:2:1: nothing asks for a block called titel: did you mean title?",
        ),
        (
            "slack/user.j2",
            TITLE,
            "slack/user.j2:1:1: nothing asks for a block called title",
        ),
        (
            "telegram/base.j2",
            "{% block remark %}x{% endblock %}",
            "telegram/base.j2:1:1: nothing asks for a block called remark: did you mean remarks?",
        ),
        # what customers are told
        ("customers/de.j2", "", "customers/de.j2:1:1: no language is called de"),
        ("email/customers/fr.j2", "", "email/customers/fr.j2:1:1: no language is called fr"),
        (
            "customers/en.j2",
            "{% block footer %}x{% endblock %}",
            "customers/en.j2:1:1: nothing asks for a block called footer",
        ),
        (
            "email/customers/en.j2",
            "{% block text %}x{% endblock %}",
            "email/customers/en.j2:1:1: nothing asks for a block called text",
        ),
        (
            "customers/en.j2",
            "{% block user_limited %}{{ data.note }}{% endblock %}",
            "customers/en.j2:1:1: nothing is called data",
        ),
        # names
        (
            "discord/user.j2",
            "{% block title %}\n{{ dta.user }}\n{% endblock %}",
            "discord/user.j2:2:1: nothing is called dta: did you mean data?",
        ),
        (
            "discord/user.j2",
            "{% block title %}{% if evnt.type %}x{% endif %}{% endblock %}",
            "discord/user.j2:1:1: nothing is called evnt: did you mean event?",
        ),
        (
            "discord/user.j2",
            "{% block title %}{{ username }}{% endblock %}",
            "discord/user.j2:1:1: nothing is called username",
        ),
    ],
)
def test_what_matches_nothing_is_a_warning(tmp_path: Path, name: str, content: str, expected: str) -> None:
    assert found(tmp_path, {name: content}) == [expected]


@pytest.mark.parametrize(
    "files",
    [
        {"discord/user.expired.j2": TITLE},
        {"discord/user.j2": TITLE},
        {"discord/base.j2": TITLE, "discord/digest.j2": TITLE, "discord/message.j2": TITLE},
        {"discord/marzban.frozen.j2": TITLE, "discord/marzban.j2": TITLE},
        {"discord/user.j2": "{% block title %}{% block mine %}x{% endblock %}{% endblock %}"},
        {
            "discord/mine.j2": "{% block title %}{% block inside %}{% endblock %}{% endblock %}",
            "discord/user.j2": "{% extends 'discord/mine.j2' %}{% block inside %}x{% endblock %}",
        },
        {
            "parts/words.j2": "{% macro hello(who) %}{{ who }}{% endmacro %}",
            "discord/user.j2": "{% from 'parts/words.j2' import hello as hi %}"
            "{% block title %}{{ hi('x') }}{% endblock %}",
        },
        {
            "parts/words.j2": "{% macro hello(who) %}{{ who }}{{ caller() }}{% endmacro %}",
            "discord/user.j2": "{% import 'parts/words.j2' as w %}{% block title %}{{ w.hello('x') }}{% endblock %}",
        },
        {
            "discord/user.j2": "{% set a = 1 %}{% block title %}"
            "{% for b in range(a) %}{{ b }}{{ loop.index }}{% endfor %}"
            "{{ _('x') }}{% with c = 2 %}{{ c }}{% endwith %}{{ data.anything.at.all }}{% endblock %}"
        },
        {"discord/user.j2": "{% extends 'shipped/discord/base.j2' %}{% block title %}{{ super() }}{% endblock %}"},
        {"discord/digest.j2": "{% block more %}{{ total }}{{ kinds }}{{ storm }}{{ gist() }}{% endblock %}"},
        {
            "customers/en.j2": "{% extends 'shipped/customers/en.j2' %}"
            "{% block user_limited %}{{ me.name }}{% endblock %}",
            "email/customers/fa.j2": "{% extends 'shipped/email/customers/fa.j2' %}{% block footer %}x{% endblock %}",
        },
        {"README.md": "words", "discord/README": "words"},
    ],
)
def test_what_is_asked_for_is_none(tmp_path: Path, files: Mapping[str, str]) -> None:
    assert found(tmp_path, files) == []


def test_a_template_that_a_row_names_is_asked_for(tmp_path: Path) -> None:
    files = {"discord/short.j2": TITLE}
    assert found(tmp_path, files, FILE % ", template: short") == []
    assert found(tmp_path, files) == ["discord/short.j2:1:1: no event has the type short, and no row names it"]


def test_where_a_source_names_its_types_itself_only_a_misspelling_is_told(tmp_path: Path) -> None:
    text = (FILE % "").replace("marzban", "cloudevents")
    assert found(tmp_path, {"discord/backup.done.j2": TITLE}, text) == []
    assert len(found(tmp_path, {"discord/user.expierd.j2": TITLE}, text)) == 1


def test_the_shipped_templates_ask_for_what_there_is(tmp_path: Path) -> None:
    from bridge.messages.renderer import SHIPPED

    files = {one.relative_to(SHIPPED).as_posix(): one.read_text() for one in SHIPPED.rglob("*.j2")}
    assert found(tmp_path, files) == []
