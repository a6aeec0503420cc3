"""What masks took out: put back where it stood, or left out and named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ingress.masking import Masker
from bridge.originals import left_out_header, left_out_names, originals_of, restored, without_masked
from bridge.sealing import Sealer

KEY = "k" * 44
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcs"), inner, max_size=4),
    max_leaves=20,
)
PATHS = st.lists(st.sampled_from(["a", "*", "**.a", "a.b", "**.c", "a.*.b", "0", "*.s"]), max_size=4)


@given(JSON, PATHS)
def test_what_is_masked_sealed_and_put_back_is_what_was_sent(value: Any, paths: list[str]) -> None:
    element = {"x": [value], "s": value}
    before = originals_of(element, ["x", "s"])
    sealed = Sealer(KEY).seal(originals_of(element, paths))
    masked = Masker([*paths])(element)
    unsealed = Sealer(KEY).unseal(sealed)
    assert unsealed is not None
    back = restored(masked, unsealed, paths)
    assert originals_of(back, ["x", "s"]) == before


def test_only_the_paths_that_are_asked_for_are_put_back() -> None:
    originals = originals_of({"a": 1, "b": 2}, ["a", "b", "c"])
    assert originals == {"a": [1], "b": [2]}
    masked = {"a": "***", "b": "***"}
    assert restored(masked, originals, ["b", "c"]) == {"a": "***", "b": 2}
    assert masked == {"a": "***", "b": "***"}


def test_a_payload_of_another_shape_is_left_as_it_is() -> None:
    assert restored({"u": [{"k": "***"}]}, {"u.*.k": [1, 2]}, ["u.*.k"]) == {"u": [{"k": "***"}]}


@pytest.mark.parametrize(
    ("payload", "kept", "names"),
    [
        ({"a": "***", "b": 1}, {"b": 1}, ["a"]),
        ({"u": {"links": ["***", "***"], "n": None, "e": []}}, {"u": {"n": None, "e": []}}, ["u.links"]),
        ({"u": {"p": {"vless": {"id": "***"}}}, "n": 0}, {"n": 0}, ["u.p.vless.id"]),
        ([{"k": "***", "i": 1}, {"k": "***"}], [{"i": 1}], ["k"]),
        ({"a": "http://u:***@h"}, {"a": "http://u:***@h"}, []),
        ("***", None, [""]),
    ],
)
def test_what_is_masked_is_left_out_with_what_holds_nothing_else(payload: Any, kept: Any, names: list[str]) -> None:
    assert without_masked(payload) == (kept, names)


def test_a_header_names_what_was_left_out_and_no_name_breaks_it() -> None:
    assert left_out_header(["a.b", "c", "a.b"]) == {"Panelbridge-Left-Out": "a.b, c"}
    assert left_out_header([]) == {}
    (header,) = left_out_header(["x\r\nSet-Cookie: a=b", "ключ", "\ud800", "y" * 500]).values()
    assert header.isascii()
    assert header.isprintable()
    assert left_out_names(left_out_header(["a", "ключ"])) == ["a", "ключ"]


def test_a_seal_of_another_key_or_none_is_opened_by_nobody() -> None:
    sealed = Sealer(KEY).seal({"a": ["s3cr3t"]})
    assert "s3cr3t" not in sealed
    assert sealed != Sealer(KEY).seal({"a": ["s3cr3t"]})
    for key, text in (("another" * 8, sealed), (KEY, sealed[:-1]), (KEY, ""), (KEY, "\ud800")):
        assert Sealer(key).unseal(text) is None
