"""The directory as a file: what is right is read, what is wrong is told with its place."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BridgeError, Mistake
from bridge.people.directory import DirectorySettings, overview_of, unchanged
from bridge.people.directory_file import DirectoryRow, read_directory

HEAD = "kind,name,telegram,thread,locale,x_room\n"


def read(folder: Path, content: str | bytes, name: str = "directory.csv") -> tuple[list[DirectoryRow], list[str]]:
    file, found = folder / name, list[Mistake]()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = list(read_directory(file, realm="marzban", tell=found.append))
    return rows, [f"{one.line}:{one.column}: {one.text}" for one in found]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "as Excel writes it"])
def test_each_line_is_a_record_and_empty_cells_are_not_there(tmp_path: Path, mark: bytes) -> None:
    text = HEAD + 'owner, reseller-7 ,-1007,12,fa,"a, b"\r\n\r\n,,,,,\r\nnode,fra-1,42\n'
    rows, found = read(tmp_path, mark + text.encode())
    assert found == []
    assert {row.key: row.record.values() for row in rows} == {
        "marzban/owner:reseller-7": {"telegram": -1007, "thread": 12, "locale": "fa", "x_room": "a, b"},
        "marzban/node:fra-1": {"telegram": 42},
    }


def test_a_line_may_be_of_another_realm(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "realm,kind,name\n,owner,seven\npasar,owner,seven\n")
    assert [row.key for row in rows] == ["marzban/owner:seven", "pasar/owner:seven"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("kind;name;telegram\n", "1:1: should be separated by commas, not by ;"),
        ("kind,name,telgram\n", '1:11: unknown column "telgram": did you mean "telegram"? Own columns begin with x_'),
        ("kind,telegram\n", '1:1: has no column "name"'),
        ("kind,name,x_a,x_a\n", '1:11: has the column "x_a" twice'),
        (HEAD + "owner,seven,1,2,fa,r,more\n", "2:22: has 7 cells, and there are 6 columns"),
        (HEAD + "peer,alice\n", '2:1: kind should be owner or node or user, not "peer"'),
        (HEAD + "owner,,7\n", "2:7: has no name, or one with signs that are not seen, or with too many"),
        (HEAD + "owner,a\u200b\n", "2:7: has no name, or one with signs that are not seen, or with too many"),
        (HEAD + "owner,seven,@seven\n", '2:13: owner "seven": telegram: should be a number such as -1001234567890'),
        (HEAD + "owner,a,1\nowner,b\nowner,a,2\n", '4:1: owner "a" is there twice: first in line 2'),
        (HEAD + 'owner,"a\n', "2:1: is no CSV: unexpected end of data"),
        (HEAD.encode() + b"owner,\xff\n", "1:1: is not UTF-8: save it as CSV UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert read(tmp_path, content)[1] == [expected]


YAML = """\
# resellers, and who buys of them
owners:
  reseller-7: {telegram: -1007, thread: 12, locale: fa, x_room: "12"}
  "no": {telegram: 7, realm: pasar}
users:
  0123: {email: a@example.com, x_paid: true, x_rate: 1.5, x_none: ~}
  alice:
    telegram: 700001
    quiet: "23:00-08:00"
nodes:
"""


@pytest.mark.parametrize("name", ["directory.yaml", "people.YML"])
def test_a_file_of_yaml_has_the_same_records_by_their_names(tmp_path: Path, name: str) -> None:
    rows, found = read(tmp_path, "\ufeff" + YAML, name)
    assert found == []
    assert {row.key: row.record.values() for row in rows} == {
        "marzban/owner:reseller-7": {"telegram": -1007, "thread": 12, "locale": "fa", "x_room": "12"},
        "pasar/owner:no": {"telegram": 7},
        "marzban/user:0123": {"email": "a@example.com", "x_paid": True, "x_rate": 1.5},
        "marzban/user:alice": {"telegram": 700001, "quiet": "23:00-08:00"},
    }
    assert [row.line for row in rows] == [3, 4, 6, 7]
    assert rows[3].at("quiet") == (9, 12)


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "owners:\n", "owners: {}\nusers: ~\n", "{}"])
def test_a_file_of_yaml_may_know_nobody(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content, "d.yaml") == ([], [])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("- a\n", "1:1: should be a mapping, with owners, nodes, users"),
        ("alice\n", "1:1: should be a mapping, with owners, nodes, users"),
        ("owner: {a: {telegram: 1}}\n", '1:1: is no kind: "owner": did you mean "owners"?'),
        ("realm: marzban\n", '1:1: is no kind: "realm": there are owners, nodes, users'),
        ("users: alice\n", "1:8: users: should be a mapping: a name, and what is known of it"),
        ("users:\n  a: {telegram: 1}\nusers:\n  b: {}\n", "3:1: users: stands here a second time, first in line 1"),
        ("users:\n  a: 700001\n", '2:6: user "a": should be a mapping, as {telegram: -1001234567890}'),
        ("users:\n  a:\n", '2:5: user "a": should be a mapping, as {telegram: -1001234567890}'),
        ("users:\n  a: {telegram: 1}\n  b: {}\n  a: {telegram: 2}\n", '4:3: user "a" is there twice: first in line 2'),
        ("users:\n  a: {telegram: 1, telegram: 2}\n", '2:20: user "a": telegram: stands here a second time'),
        (
            "users:\n  a:\n    telegram: '@a'\n",
            '3:15: user "a": telegram: should be a number such as -1001234567890',
        ),
        ("users:\n  a: {zone: Tehran}\n", '2:13: user "a": zone: should be a time zone: did you mean Asia/Tehran?'),
        ("users:\n  a: {email: [b]}\n", "2:14: should be a text or a number, and no list or mapping"),
        ("users:\n  a: {email: *b}\n", "2:14: is an alias, *b: write here what is meant, or put it in quotes"),
        ("users:\n  a: {email: !b c}\n", "2:14: has a YAML tag, !b, which means nothing here"),
        ("users:\n  ? [a]\n  : {telegram: 1}\n", "2:5: a text that begins with { or [ should be in quotes"),
        ("users: {}\n---\nowners: {}\n", "2:1: has a second document: leave out the line ---"),
        ('users:\n  "a\\u200b": {}\n', "2:3: has no name, or one with signs that are not seen, or with too many"),
        (b"users:\n  a: {x_a: \xff}\n", "1:1: is not UTF-8: save it as UTF-8"),
        ("users:\n  a: {x_a: \x07}\n", "1:1: is no YAML: it has a control character"),
    ],
)
def test_what_is_wrong_in_yaml_is_told_with_its_place(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert read(tmp_path, content, "directory.yaml")[1] == [expected]


def test_an_unknown_key_and_what_is_no_yaml_are_told_with_their_place(tmp_path: Path) -> None:
    [unknown] = read(tmp_path, "users:\n  a: {telgram: 1}\n", "d.yaml")[1]
    assert unknown.startswith('2:3: user "a": has no key "telgram": there are telegram, ')
    [broken] = read(tmp_path, "users:\n  a: {telegram: 1\n  b: {}\n", "d.yaml")[1]
    assert broken.startswith("3:4: is no YAML: ")


@given(st.text(alphabet=list("aou:{}[],-?*&!|>'\"#%@` \n\t~\\0\x85\u2028"), max_size=60) | st.binary(max_size=60))
def test_whatever_a_file_holds_it_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("any.yaml", "any.csv"):
        rows, found = read(folder, content, name)
        assert all(row.record.values() is not None for row in rows)
        assert all(re.match(r"[1-9]\d*:[1-9]\d*: ", one) for one in found)


@pytest.mark.parametrize("name", ["none.csv", "none.yaml"])
def test_a_file_that_is_not_there_any_more_is_told(tmp_path: Path, name: str) -> None:
    found: list[Mistake] = []
    assert not list(read_directory(tmp_path / name, realm="", tell=found.append))
    assert [one.text for one in found] == ["cannot be read: No such file or directory"]


def test_what_stands_in_both_is_what_the_file_of_settings_says(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("kind,name,telegram\nowner,seven,1\nowner,nine,2\n")
    given = {"file": "d.csv", "owners": {"seven": {"telegram": 7}}, "default": {"telegram": 9}}
    settings = DirectorySettings.model_validate(given, context={"folder": tmp_path})
    assert dict(settings.records("m")) == {
        "default": {"telegram": 9},
        "m/owner:seven": {"telegram": 7},
        "m/owner:nine": {"telegram": 2},
    }


def test_records_that_are_others_meanwhile_are_not_taken_for_these() -> None:
    before, after = [("a", {"telegram": 1})], [("a", {"telegram": 2})]
    assert list(unchanged(before, overview_of(before).generation)) == before
    with pytest.raises(BridgeError, match="has changed while it was read"):
        list(unchanged(after, overview_of(before).generation))
