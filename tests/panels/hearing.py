"""How the door hears a panel, and what the tests of several panels share."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.event import Event
from bridge.ingress.masking import Masker
from bridge.message import Emission
from bridge.panels import CONFIGS
from bridge.panels.base import Hook, Panel, ParsedEvent, PolledPanel
from bridge.value import replace
from tests.panels.recorded import ARRIVAL, Recorded

#: When the made-up events happened.
THEN = datetime(2026, 11, 21, 4, 14, 18, 500000, tzinfo=UTC)

#: Every word that chooses a panel, and the settings that it chooses.
WORDS = {word: config for config in CONFIGS for word in config.words()}
#: Settings that have no default.
REQUIRED: dict[str, dict[str, Any]] = {
    "json": {"type": "'backup.done'"},
    "3x-ui": {"address": "https://panel.example.com/path", "token": "3xui-test-token-0123456789"},
}

#: Any JSON, hostile leaves and masked ones among it.
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["***", "", "0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def shaped(keys: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Objects that have some of these keys, with what they hold, or anything, under them."""
    return st.fixed_dictionaries({}, optional={key: value | JSON for key, value in keys.items()})


#: Any `data`, as of a panel that fills it with what it likes.
DATA = shaped(
    {
        **dict.fromkeys(("owner", "actor", "reason", "action", "message", "admin", "host"), JSON),
        "user": shaped(
            dict.fromkeys(("username", "id", "status", "used_bytes", "limit_bytes", "groups", "expires_at"), JSON)
        ),
        "node": shaped(dict.fromkeys(("name", "port", "percent", "used_bytes", "tags"), JSON)),
        "peer": shaped(dict.fromkeys(("name", "addresses", "connected", "received_bytes"), JSON)),
        "subscription": shaped(dict.fromkeys(("plan", "expires_at", "duration_days"), JSON)),
        "expiry": shaped(dict.fromkeys(("hours", "days_left"), JSON)),
        "billing": shaped(dict.fromkeys(("hours", "due_at"), JSON)),
        "usage": shaped(dict.fromkeys(("percent",), JSON)),
        "device": shaped(dict.fromkeys(("id", "model"), JSON)),
        "system": shaped(dict.fromkeys(("server", "message"), JSON)),
    }
)


def hook(value: Any = None, *, body: bytes | None = None, **changes: Any) -> Hook:
    """A request with this JSON as its body, or with these bytes."""
    return Hook(body=json.dumps(value).encode() if body is None else body, received_at=ARRIVAL, **changes)


def opened(word: str, **settings: Any) -> Panel[Any]:
    """The panel that this word chooses, open to everyone."""
    given = {"panel": word, "secret": "none", **REQUIRED.get(word, {}), **settings}
    return WORDS[word].model_validate(given).open()


def heard(panel: Panel[Any], hook_: Hook) -> list[ParsedEvent]:
    """What the door makes of a request: verify, read, mask, scrub, understand."""
    if not isinstance(panel, PolledPanel):  # nobody posts what was found by asking
        panel.verify(hook_)
    masker = Masker((*panel.masks, *panel.config.mask), panel.config.unmask, described=panel.described)
    elements = [panel.scrub(masker(element)) for element in panel.elements(hook_)]
    return [panel.parse(element, hook_) for element in elements]


def stored(panel: Panel[Any], hook_: Hook) -> str:
    """All that would be stored of a request, as one text."""
    masker = Masker((*panel.masks, *panel.config.mask), panel.config.unmask, described=panel.described)
    elements = [panel.scrub(masker(element)) for element in panel.elements(hook_)]
    said = [(one.type, one.subject, one.data) for one in (panel.parse(element, hook_) for element in elements)]
    return json.dumps([elements, said], ensure_ascii=False)


def keeps_its_feet(panel: Panel[Any], hook_: Hook) -> None:
    """Whatever arrives is understood or refused, and what is understood can be stored."""
    try:
        sightings = heard(panel, hook_)
    except (BadPayload, BadSignature):
        return
    for sighting in sightings:
        assert sighting.type
        said = [sighting.type, sighting.native_type, sighting.subject, sighting.data]
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode()


def named(sightings: list[ParsedEvent]) -> list[tuple[str, str | None]]:
    """Native names and subjects' names, as the recorded requests expect them."""
    return [(one.native_type, one.subject.partition(":")[2] if one.subject else None) for one in sightings]


def gives_what_is_expected(panel: Panel[Any], request: Recorded) -> None:
    sightings = heard(panel, request.hook)
    assert len(sightings) == request.expect_count
    assert named(sightings) == request.expect_events


def an_event(type_: str = "user.created", data: Any = None, **changes: Any) -> Event:
    event = Event(
        id="01990000-0000-7000-8000-000000000000",
        source="main",
        panel="marzban",
        type=type_,
        native_type=type_,
        subject="user:alice",
        occurred_at=THEN,
        received_at=ARRIVAL,
        data=data or {},
        native={"action": type_},
    )
    return replace(event, **changes)


def arriving(emission: Emission) -> Hook:
    """The emission as it arrives at the program that it is meant for."""
    return Hook(body=emission.body, received_at=ARRIVAL, headers=emission.headers)
