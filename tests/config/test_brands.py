"""Brands: what is wrong with one, or with whose it is, is told with its place."""

from pathlib import Path

import pytest

from bridge.config import brands
from tests.config.files import loaded, mistakes, warnings

HIS = "chat_id: '{{ person.telegram }}'"
TOKEN = "'123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11'"
FILE = f"""sources: {{marzban: {{panel: marzban, secret: a-secret}}}}
sinks:
  dm: {{type: telegram, token: {TOKEN}, {HIS}}}
  seven-bot: {{type: telegram, token: {TOKEN.replace("123456", "777777")}, {HIS}}}
  ops: {{type: telegram, token: {TOKEN}, chat_id: -1001}}
routes: [{{match: user.expired, to: dm, audience: user}}, {{to: ops}}]
"""
OWNERS = "directory: {owners: {r7: {brand: seven}}}\n"


def file(brands: str, directory: str = OWNERS) -> str:
    return f"{FILE}{directory}people: {{brands: {{{brands}}}}}\n"


SEVEN = "seven: {name: Seven Net, sinks: {dm: seven-bot}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            file(SEVEN, "directory: {owners: {r7: {brand: sevn}}}\n"),
            'config.yaml:7:34: directory.owners.r7.brand: no brand named "sevn": did you mean "seven"?',
        ),
        (
            file(SEVEN, "directory: {owners: {r7: {brand: seven}}, users: {alice: {brand: seven}}}\n"),
            "config.yaml:7:66: directory.users.alice.brand is for owners: whose customers they are follows from the"
            " event",
        ),
        (
            file(SEVEN, "directory: {default: {brand: seven}, owners: {r7: {brand: seven}}}\n"),
            "config.yaml:7:30: directory.default.brand is for owners: whose customers they are follows from the event",
        ),
        (
            file("seven: {sinks: {dm: seven-bt}}"),
            'config.yaml:8:39: people.brands.seven.sinks.dm: no sink named "seven-bt": did you mean "seven-bot"?',
        ),
        (
            file("seven: {sinks: {dmm: seven-bot}}"),
            'config.yaml:8:35: people.brands.seven.sinks.dmm: no sink named "dmm": did you mean "dm"?',
        ),
        (
            file("seven: {sinks: {dm: ops}}"),
            'config.yaml:8:39: people.brands.seven.sinks.dm: sink "ops" is not addressed to users: name one whose'
            " address speaks of person",
        ),
        (
            file(f"{SEVEN}, nine: {{sinks: {{dm: seven-bot}}}}"),
            'config.yaml:8:88: people.brands.nine.sinks.dm: sink "seven-bot" is that of brand "seven" already',
        ),
        (
            file(SEVEN).replace("to: dm", "to: [dm, seven-bot]"),
            'config.yaml:6:41: route 1: sink "seven-bot" is that of brand "seven" alone: name the one that it stands'
            " in for",
        ),
        (
            file(SEVEN).replace("to: dm", "to: dm, fallback: seven-bot"),
            'config.yaml:6:50: route 1: sink "seven-bot" is that of brand "seven" alone: name the one that it'
            " stands in for",
        ),
        (
            file(SEVEN).replace("people: {", "people: {bot: seven-bot, proofs: false, "),
            'config.yaml:8:15: people.bot: sink "seven-bot" is that of brand "seven" alone: name the one that it stands'
            " in for",
        ),
        (
            file("seven: {sinks: {dm: dm}}"),
            'config.yaml:6:36: route 1: sink "dm" is that of brand "seven" alone: name the one that it stands in for',
        ),
        (
            file(SEVEN).replace("777777", "123456"),
            'config.yaml:4:38: sink "seven-bot": token is the bot of sink "dm" too: a brand has one of its own, or'
            ' speaks by "dm" in its name',
        ),
        (file("seven: {locale: xx}"), "config.yaml:8:35: people.brands.seven.locale should be en, fa or ru"),
        (
            file("seven: {support: 'javascript:x'}"),
            "config.yaml:8:36: people.brands.seven.support should begin with https://, tg:// or mailto:",
        ),
        (
            file("seven: {renew: 'http://x'}"),
            "config.yaml:8:34: people.brands.seven.renew should begin with https://",
        ),
        (
            file("seven: {name: ''}"),
            "config.yaml:8:33: people.brands.seven.name should be a name that people can read, of at most 60 signs",
        ),
        (file("seven: {nme: Seven}"), 'unknown key "nme": did you mean "name"?'),
        (file("seven: {templates: nowhere}"), "people.brands.seven.templates should be a folder: there is none at"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in one for one in mistakes(tmp_path, text)), mistakes(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "d.csv",
            "kind,name,telegram,brand\nowner,r7,-1007,sevn\nowner,r8,-1008,seven\n",
            'd.csv:2:16: owner "r7": brand: no brand named "sevn": did you mean "seven"?',
        ),
        (
            "d.csv",
            "kind,name,brand\nowner,r7,seven\nuser,alice,seven\n",
            'd.csv:3:12: user "alice": brand: is for owners: whose customers they are follows from the event',
        ),
        (
            "d.yaml",
            "owners:\n  r7: {brand: seven}\n  r8:\n    brand: sevn\n",
            'd.yaml:4:12: owner "r8": brand: no brand named "sevn": did you mean "seven"?',
        ),
    ],
)
def test_a_brand_that_a_directorys_file_misspells_is_told_with_its_place(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    (tmp_path / name).write_text(text)
    assert mistakes(tmp_path, file(SEVEN, f"directory: {{file: {name}}}\n")) == [expected]


def test_more_owners_than_are_held_in_memory_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brands, "MOST", 2)
    (tmp_path / "d.csv").write_text("kind,name,brand\nowner,r7,seven\nowner,r8,seven\nowner,r9,\n")
    text = file(SEVEN, "directory: {file: d.csv}\n")
    assert loaded(tmp_path, text)
    (tmp_path / "d.csv").write_text("kind,name,brand\nowner,r7,seven\nowner,r8,seven\nowner,r9,seven\n")
    assert mistakes(tmp_path, text) == ["config.yaml:7:12: directory: more than 2 owners have a brand"]


def test_where_nothing_is_wrong_nothing_is_said(tmp_path: Path) -> None:
    assert [one for one in warnings(tmp_path, file(SEVEN)) if "seven" in one or "brand" in one] == []
    assert loaded(tmp_path, file(SEVEN)).config.recipients().brands.owners == {"marzban/owner:r7": "seven"}


def test_a_brand_that_nobody_has_is_a_warning(tmp_path: Path) -> None:
    for directory in (OWNERS, "directory: {owners: {r7: {telegram: 7}}}\n"):
        found = warnings(tmp_path, file(f"{SEVEN}, nine: {{name: Nine}}", directory))
        said = {one.partition("people.brands.")[2] for one in found}
        assert ("nine: no owner's record names it" in said) is True
        assert ("seven: no owner's record names it" in said) is (directory != OWNERS)


def test_a_brands_words_are_looked_at_as_the_files_own_and_read_again_when_they_change(tmp_path: Path) -> None:
    folder = tmp_path / "brands" / "seven"
    (folder / "customers").mkdir(parents=True)
    words = folder / "customers" / "fa.j2"
    text = file("seven: {templates: brands/seven}")
    words.write_text('{% extends "shipped/customers/fa.j2" %}{% block user_expierd %}{{ brnd.name }}{% endblock %}')
    found = loaded(tmp_path, text)
    assert folder in found.files
    said = [f"{one.file}:{one.line}: {one.text}" for one in found.warnings if one.file == str(words)]
    assert said == [
        f"{words}:1: nothing asks for a block called user_expierd: did you mean user_expired?",
        f"{words}:1: nothing is called brnd: did you mean brand?",
    ]
    words.write_text("{% block user_expired %}{{ brand.name }")
    assert any("brands/seven/customers/fa.j2:1:1" in one for one in mistakes(tmp_path, text))
