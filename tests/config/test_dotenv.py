"""`.env` beside the file says what its variables stand for; the environment comes first."""

from pathlib import Path

import pytest

from tests.config.files import loaded, mistakes, warnings

TEXT = 'sinks: {ops: {type: discord, url: "${OPS_URL}"}}\n'
URL = "https://discord.com/api/webhooks/1/the-token-of-it"


def url_of(folder: Path, env: dict[str, str] | None = None) -> str:
    return str(loaded(folder, TEXT, env).config.sinks["ops"].url.get_secret_value())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line", [f"OPS_URL={URL}", f"OPS_URL='{URL}'", f'OPS_URL="{URL}"', f"# said before\nexport OPS_URL={URL}\n"]
)
def test_it_says_what_a_variable_stands_for_however_it_is_quoted(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(line)
    assert url_of(tmp_path) == URL


def test_a_dollar_in_it_is_a_dollar(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPS_URL={URL}${{HOME}}$\n")
    assert url_of(tmp_path) == f"{URL}${{HOME}}$"


def test_the_environment_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPS_URL={URL}/of-the-file\n")
    assert url_of(tmp_path, {"OPS_URL": URL}) == URL


def test_a_change_of_it_is_seen_like_one_of_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPS_URL={URL}\n")
    assert tmp_path / ".env" in loaded(tmp_path, TEXT).files


@pytest.mark.parametrize("line", [3, 3000])
def test_a_byte_of_it_that_is_no_utf_8_is_a_mistake_at_its_line(tmp_path: Path, line: int) -> None:
    (tmp_path / ".env").write_bytes(b"OPS_URL=x\n" * (line - 1) + "# café\n".encode("latin-1"))
    assert mistakes(tmp_path, TEXT) == [f".env:{line}:1: the file is not UTF-8 text"]


def test_a_line_of_it_that_says_nothing_is_warned_of_at_its_place(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"# mine\nA B\n\nOPS_URL={URL}\nC\n'x\n")
    assert url_of(tmp_path) == URL
    told = [one for one in warnings(tmp_path, TEXT) if ".env" in one]
    unread = "says nothing: a line should be NAME=value"
    assert told == [f"{tmp_path}/.env:{line}:1: {unread}"[1:] for line in (2, 6)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"OPS_URL={URL}\r\n", "utf-8-sig")
    assert url_of(tmp_path) == URL


def test_what_neither_says_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OTHER=1\nOPS_URL\nthis is no line of it\n")
    assert "OPS_URL" in mistakes(tmp_path, TEXT)[0]
