"""What a command shows is one line where it is one, and gives the terminal no orders."""

import pytest

from bridge.cli import main
from bridge.cli.console import print_json, print_table, printable, printable_lines

ORDERS = [
    *map(chr, (*range(32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)))
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda one: f"U+{ord(one):04X}")
def test_no_text_gives_the_terminal_orders_or_a_line_of_its_own(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not any(one in printable(f"a{order}b") for one in ORDERS)
    print_json({"x": f"a{order}b"})
    print_table(("X",), [(f"a{order}b",)])
    shown = capsys.readouterr().out
    assert not any(one in shown for one in ORDERS if one != "\n")
    assert len(shown.splitlines()) == 5


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (7, "7"), ("a\nb", "a⏎b"), ("a\r\nb", "a⏎b"), ("a\rb", "a�b"), ("a\tb", "a b"), ("a\u202eb", "a�b")],
)
def test_what_stands_in_the_place_of_an_order(value: object, shown: str) -> None:
    assert printable(value) == shown


def test_an_error_keeps_its_own_lines_and_no_others() -> None:
    assert printable_lines("one\ntwo\x85three\x1b[2J") == "one\ntwo�three�[2J"


def test_what_is_wrong_is_told_without_orders(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--config", "no\x1b[2J\u202e.yaml"])
    assert "no�[2J�.yaml" in capsys.readouterr().err
