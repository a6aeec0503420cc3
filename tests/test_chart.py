"""A chart: as signs for every service, and as a block that it can be drawn from."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.chart import SIGNS, Chart, chart_of, read_chart, with_signs
from tests.sinks.values import a_message

bars = st.lists(st.integers(0, 10**12), min_size=1, max_size=31)
charts = st.builds(
    lambda bars, ticks: Chart(bars, {number: digits for number, digits in ticks.items() if number < len(bars)}),
    bars,
    st.dictionaries(st.integers(0, 30), st.from_regex(r"[0-9]{1,2}", fullmatch=True)),
)


@given(charts)
def test_what_travels_in_a_message_is_the_whole_chart(chart: Chart) -> None:
    assert read_chart(chart.block) == chart
    assert chart_of(a_message({"chart": chart.block})) == chart


@given(st.text(max_size=40))
def test_what_is_no_chart_is_none(text: str) -> None:
    found = read_chart(text)
    assert found is None or read_chart(found.block) == found


@given(bars)
def test_each_bar_is_a_sign_as_high_as_it_is(bars: list[int]) -> None:
    signs = Chart(bars).signs
    heights = [SIGNS.index(sign) for sign in signs]
    assert len(heights) == len(bars)
    assert all((n == 0) == (height == 0) for n, height in zip(bars, heights, strict=True))
    assert all(height == len(SIGNS) - 1 for n, height in zip(bars, heights, strict=True) if n and n == max(bars))
    ranked = sorted(zip(bars, heights, strict=True))
    assert [height for _, height in ranked] == sorted(heights)


def test_a_message_without_a_picture_ends_with_its_signs() -> None:
    message = a_message({"text": "a\n", "chart": Chart([0, 2, 4]).block})
    assert with_signs(message, "text").blocks == {"text": "a\n▁▅█"}
    assert with_signs(a_message({"text": "\u200fالف", "chart": Chart([0, 2, 4]).block}), "text").blocks == {
        "text": "\u200fالف\n\u2066▁▅█\u2069"
    }
    assert with_signs(with_signs(message, "text"), "text").blocks == {"text": "a\n▁▅█"}
