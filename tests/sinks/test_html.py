"""HTML for a service that reads some tags: what goes out is well-formed, whatever a template wrote."""

import pytest
from hypothesis import given

from bridge.sinks.html import HtmlLimits, clip_html, fits_html
from tests.sinks.values import hostile_texts

LIMITS = HtmlLimits(raw=200, tags={"b": (), "a": ("href",), "pre": ()})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("<b>a</b> &lt;b&gt", "<b>a</b> &lt;b&gt;"),
        ("<b>a", "<b>a</b>"),
        ("a</b>", "a"),
        ("<B>a</B>", "<b>a</b>"),
        ("<x>a</x><!-- y --><script>z</script>", "az"),
        ('<a href="https://x.example/?a&amp;b" onclick="x">a</a>', '<a href="https://x.example/?a&amp;b">a</a>'),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ("<@&123>", "&lt;@&amp;123&gt;"),
        ("a\n<pre>b\nc</pre>", "a\n<pre>b\nc</pre>"),
    ],
)
def test_what_it_does_not_read_is_left_out_and_the_words_stay(text: str, written: str) -> None:
    assert clip_html(text, LIMITS) == written


@given(hostile_texts)
def test_what_was_written_is_not_written_anew_again_and_keeps_the_limit(text: str) -> None:
    written = clip_html(text, LIMITS)
    assert clip_html(written, LIMITS) == written
    assert len(written.encode("utf-8", "replace")) <= LIMITS.raw
    assert fits_html(written, LIMITS)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<b>Head</b>\n" + "word " * 50, "<b>Head</b>\n" + " ".join(["word"] * 37) + "…"),
        ("<b>Head</b>\n<pre>" + "x" * 300, "<b>Head</b>\n<pre>" + "x" * 160 + "…</pre>"),
        ("<b>Head</b> " + "x" * 300, "<b>Head</b> " + "x" * 176 + "…"),
    ],
)
def test_a_cut_takes_no_more_than_half_of_what_fits(text: str, kept: str) -> None:
    assert clip_html(text, LIMITS) == kept


@pytest.mark.parametrize("character", ["👨\u200d👩\u200d👧\u200d👦", "🇮🇷", "e\u0301\u0323"])
def test_what_people_see_as_one_character_stays_whole(character: str) -> None:
    for before in range(17):
        kept = clip_html("x" * before + character * 99, LIMITS).removeprefix("x" * before)
        assert kept == character * max(kept.count(character), 3) + "…"
