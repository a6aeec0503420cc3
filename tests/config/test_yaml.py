"""YAML as people write it: words stay words, variables and files are put in, every place is remembered."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.document import Document
from bridge.config.syntax import hidden, shown
from bridge.config.yaml import FILE_LIMIT, read_document

ENV = {"NAME": "from the environment", "PORT": "8080", "EMPTY": "", "ODD": "${NAME} $$ {{ x }}"}


def read(text: str, folder: Path = Path("/nowhere")) -> Document:
    return read_document(text.encode(), folder, ENV)


def value(text: str) -> Any:
    document = read(f"key: {text}\n")
    assert document.mistakes == []
    return document.data.get("key")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("word", "word"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("none", "none"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-1001234567890", -1001234567890),
        ("1045678901234567890", "1045678901234567890"),
        ("0123", "0123"),
        ("+5", "+5"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("12:30", "12:30"),
        ("1.5", 1.5),
        ("1.50", "1.50"),
        ("1e5", "1e5"),
        (".inf", ".inf"),
        ("2026-11-21", "2026-11-21"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!str true", "true"),
        ("|\n  two\n  lines", "two\nlines\n"),
    ],
)
def test_only_what_reads_back_the_same_is_more_than_a_word(text: str, expected: object) -> None:
    found = value(text)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!user.login", "!user.login"),
        ("!user.*", "!user.*"),
        ("*", "*"),
        ("*.created", "*.created"),
        ("[user.*, !user.login]", ["user.*", "!user.login"]),
        ("[!user.login, *.created, *]", ["!user.login", "*.created", "*"]),
        ("{a: *, b: !x}", {"a": "*", "b": "!x"}),
        ('"quoted !x *"', "quoted !x *"),
    ],
)
def test_a_mark_before_a_name_is_part_of_the_name(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${NAME}", "from the environment"),
        ("before ${NAME} after", "before from the environment after"),
        ("'${NAME}'", "from the environment"),
        ("{inner: ${NAME}}", {"inner": "from the environment"}),
        ("[${NAME}, ${PORT}]", ["from the environment", 8080]),
        ("${PORT}", 8080),
        ('"${PORT}"', "8080"),
        ("${MISSING:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", None),
        ('"${EMPTY}"', ""),
        ("${MISSING:-}", None),
        ("{inner: ${MISSING:-a, b: {c}}", {"inner": "a, b: {c"}),
        ("${ODD}", "${NAME} $$ {{ x }}"),
        ("'$$ $${NAME} $5 $'", "$ ${NAME} $5 $"),
        ("'${{ data.x }}'", "${{ data.x }}"),
        ("|\n  ${NAME}", "from the environment\n"),
    ],
)
def test_variables_come_from_the_environment(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: ${SEC}", "a"), ("a: [x, 'b ${SEC}']", "a[1]"), ("a: '${SEC:-b}'", "a")],
)
def test_a_variable_that_is_no_text_is_a_mistake_at_its_place(text: str, place: str) -> None:
    document = read_document(text.encode(), Path(), {"SEC": os.fsdecode(b"caf\xe9-secret")})
    assert [one.text for one in document.mistakes] == [f"{place}: the variable SEC is not UTF-8 text"]


def test_a_variable_that_is_no_text_is_no_key_either() -> None:
    document = read_document(b"sinks:\n  ${SEC}: 1", Path(), {"SEC": os.fsdecode(b"caf\xe9-secret")})
    assert [one.text for one in document.mistakes] == ["sinks: the variable SEC is not UTF-8 text"]


def test_variables_may_stand_in_keys() -> None:
    assert read("${NAME}: 1").data == {"from the environment": 1}


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a: ${MISSING}", "a: the variable MISSING is not set: set it, or give a default as in ${MISSING:-default}"),
        ("a: ${NO NAME}", "a: ${NO NAME} is not a variable: write ${NAME} or ${NAME:-default}, and $$ for a dollar"),
        ("a: '${NAME'", "a: ${NAME is not a variable: write ${NAME} or ${NAME:-default}, and $$ for a dollar"),
    ],
)
def test_a_variable_that_is_not_there_is_a_mistake_at_its_place(text: str, mistake: str) -> None:
    (found,) = read(text).mistakes
    assert (found.line, found.column, found.text) == (1, 4, mistake)


def test_a_file_stands_for_a_value(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("secret one\n")
    (tmp_path / "two").write_text("secret two\r\n")
    (tmp_path / "three").write_text("no line end, ${NAME} \n\n")
    document = read("sources: {m: {secret_file: one, keys_file: [one, two], x_file: three}}", tmp_path)
    assert document.mistakes == []
    assert document.data["sources"]["m"] == {
        "secret": "secret one",
        "keys": ["secret one", "secret two"],
        "x": "no line end, ${NAME} ",
    }
    assert document.files == [tmp_path / name for name in ("one", "one", "two", "three")]


def test_a_file_can_stand_deep_inside_of_a_sink_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    document = read("sinks: {m: {headers: {Key_file: one}}}\nlog_file: one", tmp_path)
    assert document.data == {"sinks": {"m": {"headers": {"Key": "x"}}}, "log_file": "one"}


@pytest.mark.parametrize(
    "data",
    [
        {"sources": {"backup_file": {"panel": "marzban", "secret": "x"}}},
        {"sinks": {"log_file": {"type": "console"}, "log": {"type": "console"}}},
        {"admin": {"owners": {"shop_file": {"realm": "m"}}}},
        {"sources": {"j": {"panel": "json", "data": {"x_file": "body.file"}}}},
    ],
)
def test_a_name_that_people_give_may_end_like_the_key_of_a_file(data: dict[str, object]) -> None:
    document = read(json.dumps(data))
    assert (document.mistakes, document.data, document.files) == ([], data, [])


@pytest.mark.parametrize(
    ("text", "content", "mistake"),
    [
        ("nothing", b"", "url cannot be read from {}/nothing: No such file or directory"),
        ("file", b"\n", "url cannot be read from {}/file: it is empty"),
        ("file", b"x" * (FILE_LIMIT + 1), "url cannot be read from {}/file: it is too big"),
        ("file", b"\xff\xfe", "url cannot be read from {}/file: it is not UTF-8 text"),
        ("{}", b"", "url should be the path of a file, or a list of them"),
        (".", b"", "url cannot be read from {}: Is a directory"),
        ('"a\\0b"', b"", "url cannot be read from {}/a\0b: embedded null byte"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_mistake(tmp_path: Path, text: str, content: bytes, mistake: str) -> None:
    (tmp_path / "file").write_bytes(content)
    (found,) = read(f"sinks:\n  ops:\n    url_file: {text}", tmp_path).mistakes
    assert (found.line, found.column) == (3, 15)
    assert found.text == 'sink "ops": ' + mistake.format(tmp_path)


def test_a_value_and_its_file_together_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    (found,) = read("sinks:\n  ops: {url: y, url_file: one}", tmp_path).mistakes
    assert found.text == 'sink "ops": url: stands here beside url_file: keep one of them'


def test_anchors_and_merge_keys_save_writing() -> None:
    document = read(
        "x-base: &base {timeout: 5s, rate: 1/s}\n"
        "x-more: &more {rate: 2/s, proxy: p}\n"
        "sinks:\n  a: {<<: *base, rate: 3/s}\n  b: {<<: [*base, *more]}\n"
    )
    assert document.mistakes == []
    assert document.data == {
        "sinks": {
            "a": {"rate": "3/s", "timeout": "5s"},
            "b": {"timeout": "5s", "rate": "1/s", "proxy": "p"},
        }
    }


def test_a_section_whose_lines_are_all_comments_is_none() -> None:
    assert read("sinks:\n  # ops: {type: console}\nlisten: x").data == {"listen": "x"}


def test_an_empty_file_says_nothing() -> None:
    assert read("").data == {}
    assert read("# nothing\n").data == {}


def test_numbers_are_names_too() -> None:
    assert read("sources: {123: 1, 0123: 2, true: 3, null: 4}").data["sources"] == {
        "123": 1,
        "0123": 2,
        "true": 3,
        "null": 4,
    }


@pytest.mark.parametrize(
    ("text", "place", "mistake"),
    [
        ("a: 1\nb: 2\na: 3", (3, 1), "a: stands here a second time, first in line 1"),
        ("- a", (1, 1), "the file should be a mapping, with keys such as sources, sinks and routes"),
        ("a: &x [*x]", (1, 4), "a[0] is an alias of something that it is a part of"),
        ("a: &x {b: 1, <<: *x}", (1, 4), "a: << should name a mapping"),
        ("a: {<<: 3}", (1, 9), "a: << should name a mapping"),
        (
            "a: !<tag:example.com,2000:x> 1",
            (1, 4),
            "a has a YAML tag, tag:example.com,2000:x, which means nothing here",
        ),
        ("a: {{ x }}", (1, 4), "a: a text that begins with { or [ should be in quotes"),
        ("a: 1\nb:\n  c: 2\n  ? [d, e]\n  : f", (4, 5), "b: a text that begins with { or [ should be in quotes"),
        ("a: b: c", (1, 5), 'not YAML: mapping values are not allowed here; put a text that holds ": " in quotes'),
        (
            "a:\n\tb: 1",
            (2, 1),
            "not YAML: found character '\\t' that cannot start any token; indent with spaces, not with a tab",
        ),
        (
            "a: @here",
            (1, 4),
            "not YAML: found character '@' that cannot start any token;"
            ' put a text that begins with @, ` or % in quotes, as in "@channel"',
        ),
        (
            "a: *_created",
            (1, 4),
            "not YAML: found undefined alias '_created'; put a name that begins with * in quotes, as in \"*_created\"",
        ),
        ("a: 'x", (1, 6), "not YAML: found unexpected end of stream, in what begins in line 1"),
        ("a: [1\nb: ${X}", (2, 2), "not YAML: expected ',' or ']', but got ':', in what begins in line 1"),
        ("a:\n  b: \x01", (2, 6), "not YAML: a control character"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_in_plain_words(text: str, place: tuple[int, int], mistake: str) -> None:
    (found,) = read(text).mistakes
    assert (found.line, found.column) == place
    assert found.text.startswith(mistake)


def test_a_file_that_is_no_text_is_told_by_its_line() -> None:
    (found,) = read_document(b"a: 1\nb: \xff\n", Path(), {}).mistakes
    assert (found.line, found.column, found.text) == (2, 1, "the file is not UTF-8 text")


def test_every_place_is_remembered() -> None:
    document = read("sinks:\n  ops: {type: console}\nroutes:\n  - to: [ops,\n         team]\n")
    assert document.position(("sinks", "ops", "type")) == (2, 15)
    assert document.key_position(("sinks", "ops", "type")) == (2, 9)
    assert document.position(("routes", 0, "to", 1)) == (5, 10)
    assert document.position(("routes", 0, "nothing", "there")) == (4, 5)


def test_places_count_letters_and_not_bytes() -> None:
    assert read("sinks: {نام: {type: x}}").position(("sinks", "نام", "type")) == (1, 21)


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1", Path(), {}).data == {"a": 1}


@given(st.text())
def test_hiding_leaves_every_position_and_can_be_undone(text: str) -> None:
    without = hidden(text)
    assert len(without) == len(text)
    assert [i for i, one in enumerate(without) if one == "\n"] == [i for i, one in enumerate(text) if one == "\n"]
    if not any(ord(one) >= 0x10FF00 for one in text):
        assert shown(without) == text


@given(st.binary(max_size=200))
def test_whatever_the_bytes_reading_ends_with_a_document(raw: bytes) -> None:
    document = read_document(raw, Path("/nowhere"), {})
    assert isinstance(document.data, dict)


@given(st.text(alphabet="ab:{}[]!*&<-,'\"|>#%@$ \n${}x-", max_size=60))
def test_whatever_the_text_reading_ends_with_a_document(text: str) -> None:
    assert isinstance(read(text).data, dict)


def test_a_file_that_is_nested_too_deeply_is_told_so() -> None:
    (found,) = read("[" * 20_000 + "]" * 20_000).mistakes
    assert "nested too deeply" in found.text


def test_aliases_of_aliases_are_told_of_before_they_are_all_that_they_stand_for() -> None:
    lines = ["x-0: &x0 [a, b, c, d, e, f, g, h, i, j]"]
    lines += [f"x-{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 20)]
    (found,) = read("\n".join(lines)).mistakes
    assert (found.line, found.text) == (
        1,
        "the file holds more than 200000 values here: are there aliases of aliases?",
    )
