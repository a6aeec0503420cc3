"""What a Persian sentence quotes is read on its own, and nothing that is quoted can end that."""

import pytest

from bridge.admin.frame import visible
from bridge.admin.language import language
from bridge.admin.wording.isolates import apart, isolated
from bridge.messages.catalog import LOCALES, RIGHT_TO_LEFT


@pytest.mark.parametrize("code", LOCALES)
def test_a_value_is_apart_on_the_page_where_the_words_go_from_right_to_left(code: str) -> None:
    shown = apart(f"a {isolated(language(code), 'user.*')} b", visible)
    assert shown == ("a <bdi>user.*</bdi> b" if code in RIGHT_TO_LEFT else "a user.* b")


@pytest.mark.parametrize("value", ["x\u2069y", "\u2068x", "x\u2069\u2068y"])
def test_no_value_ends_what_it_stands_in(value: str) -> None:
    shown = apart(f"a {isolated(language('fa'), value)} b {isolated(language('fa'), 'c')}", visible)
    assert shown.count("<bdi>") == shown.count("</bdi>") == 2
    assert shown.startswith("a <bdi>")
    assert shown.endswith("<bdi>c</bdi>")


@pytest.mark.parametrize("code", LOCALES)
def test_what_a_value_says_is_text_and_no_mark_up(code: str) -> None:
    assert "&lt;b&gt;\ufffd" in apart(isolated(language(code), "<b>\x07"), visible)
