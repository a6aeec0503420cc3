"""A report's picture: the same bars are the same bytes, and it shows what the bars are."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from bridge.chart import Chart
from bridge.sinks import picture
from bridge.sinks.picture import BAR, CARD, HEIGHT, TALLEST, WIDTH, _lines, draw_ahead, drawn, form, picture_of
from tests.services.forms import form_of
from tests.sinks.values import a_message

DAY = Chart([3, 0, 0, 1, 5, 9, 12, 40, 61, 70, 88, 90, 125, 70] + [5] * 10, {0: "00", 6: "06", 12: "12", 18: "18"})


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def columns(chart: Chart, color: str) -> int:
    """How many bars of that colour a line just above the ground goes through."""
    image, wanted = opened(drawn(chart)), ImageColor.getrgb(color)
    y = HEIGHT - picture.BOTTOM - 4
    row = [image.getpixel((x, y)) == wanted for x in range(WIDTH)]
    return sum(is_ and not before for before, is_ in zip([False, *row], row, strict=False))


def test_the_same_bars_are_the_same_bytes_and_others_are_others() -> None:
    again = Chart(list(DAY.bars), dict(DAY.ticks))
    assert drawn(DAY) == drawn(again)
    assert len({drawn(one) for one in (DAY, Chart(DAY.bars), Chart([*DAY.bars[:-1], 6], DAY.ticks))}) == 3


@pytest.mark.parametrize("number", [7, 23, 24, 25, 28, 31])
def test_there_is_a_bar_for_each_that_had_any_and_the_tallest_stands_out(number: int) -> None:
    bars = [20 + n for n in range(number - 2)] + [0, 100]
    assert columns(Chart(bars), BAR) == number - 2
    assert columns(Chart(bars), TALLEST) == 1


@given(st.lists(st.integers(0, 10**14), min_size=1, max_size=62))
def test_whatever_the_bars_are_it_is_a_picture_that_every_service_takes(bars: list[int]) -> None:
    png = drawn(Chart(bars, {0: "1", len(bars) - 1: "31"}))
    image = opened(png)
    assert image.size == (WIDTH, HEIGHT)
    assert image.getpixel((2, 2)) == ImageColor.getrgb(CARD)
    assert image.getpixel((WIDTH - 3, HEIGHT - 3)) == ImageColor.getrgb(CARD)
    assert len(png) < 100_000


@given(st.integers(0, 10**14))
def test_lines_run_at_round_numbers_from_nothing_to_the_top(top: int) -> None:
    lines = _lines(top)
    assert lines[0] == 0
    assert lines[-1] >= top
    assert 2 <= len(lines) <= picture.LINES + 1
    assert str(lines[1]).rstrip("0") in ("1", "2", "5")
    assert lines[-2] < max(top, 1)


async def test_a_picture_is_drawn_beside_the_loop_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    message = a_message({"chart": Chart([1, 2, 987]).block})
    await draw_ahead(message)
    monkeypatch.setattr(picture, "drawn", None)
    assert picture_of(message)


def test_a_form_holds_texts_as_they_are_and_all_else_as_json() -> None:
    body, headers = form({"caption": "سلام", "chat_id": -1, "reply_markup": {"a": [1]}}, "photo", drawn(DAY))
    read = form_of(headers["Content-Type"], body)
    assert read.texts == {"caption": "سلام", "chat_id": "-1", "reply_markup": '{"a": [1]}'}
    assert read.files["photo"].content == drawn(DAY)
    assert read.files["photo"].picture().size == (WIDTH, HEIGHT)
    assert form({"caption": "سلام", "chat_id": -1, "reply_markup": {"a": [1]}}, "photo", drawn(DAY))[0] == body
