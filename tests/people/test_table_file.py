"""The directory as a file: what is right is read, what is wrong is told with its place."""

from pathlib import Path

import pytest

from bridge.errors import BridgeError, Mistake
from bridge.people.directory import DirectorySettings, generation_of, unchanged
from bridge.people.table_file import Row, read_table

HEAD = "kind,name,telegram,thread,locale,x_room\n"


def read(folder: Path, content: str | bytes) -> tuple[list[Row], list[str]]:
    file, found = folder / "directory.csv", list[Mistake]()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = list(read_table(file, realm="marzban", tell=found.append))
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


def test_a_file_that_is_not_there_any_more_is_told(tmp_path: Path) -> None:
    found: list[Mistake] = []
    assert not list(read_table(tmp_path / "none.csv", realm="", tell=found.append))
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
    assert list(unchanged(before, generation_of(before))) == before
    with pytest.raises(BridgeError, match="has changed while it was read"):
        list(unchanged(after, generation_of(before)))
