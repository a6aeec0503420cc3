"""A preview is the request that would be sent, and its drawing says what that says, in its order, and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bridge.admin.pages.previews import MEASURES
from bridge.admin.trials.preview import Preview, preview
from bridge.event import Event
from bridge.intake import Destination
from bridge.message import PLAIN, Circumstances
from bridge.messages.catalog import LOCALES
from bridge.panels import DIALECTS
from bridge.samples import samples
from bridge.sinks import SERVICES
from bridge.sinks.base import ServiceSink
from bridge.sinks.http import Http, OnSent, Request, Response
from bridge.value import replace
from tests.admin.drawings import Drawing, one_line
from tests.fakes import START
from tests.messages.hostile import texts
from tests.messages.speech import ENGLISH, EVERYTHING, circumstances, event, with_texts
from tests.services.every import CHATS, WAYS
from tests.sinks.values import a_digest, a_message, config, repeated, tools

ZONE = ZoneInfo("Asia/Tehran")
CHAT_WAYS = [name for name, (settings, _, _) in WAYS.items() if settings["type"] in CHATS]
SAMPLES = samples(at=START)
#: What is known of a thing of every kind, all at once.
FULL = event("user.limited", EVERYTHING)

every_chat = pytest.mark.parametrize("way", CHAT_WAYS)
every_way = pytest.mark.parametrize("way", WAYS)


def opened(way: str, http: Http | None = None, **more: Any) -> ServiceSink[Any]:
    sink: ServiceSink[Any] = config(**WAYS[way][0], **more).open(tools(http, DIALECTS))
    return sink


def previewed(
    one: Event, sink: Any, locale: str | None = None, given: Circumstances = PLAIN, template: str | None = None
) -> Preview:
    to = Destination("ops", "route 1", template)
    return preview(one, sink, ENGLISH, at=START, locale=locale, to=to, circumstances=given)


def seen(way: str, found: Preview) -> str:
    """What people would see of the request."""
    return one_line(CHATS[WAYS[way][0]["type"]].seen(found.shown))


def recorded(sink: ServiceSink[Any]) -> list[Request]:
    """The requests that the sink will ask, each of them answered alike."""
    requests: list[Request] = []

    async def respond(request: Request, *, within: float, on_sent: OnSent = None) -> Response:
        requests.append(request)
        return Response(200, {"content-type": "application/json"}, b'{"id": "1", "customFields": []}')

    sink.respond = respond  # type: ignore[method-assign]
    return requests


def told(sink: ServiceSink[Any], request: Request) -> Iterator[Any]:
    """A request as a preview tells it."""
    yield request.method
    yield sink.mask(str(request.url))
    yield {name: sink.mask(value) for name, value in request.headers.items()}
    yield json.loads(sink.mask(request.body.decode())) if request.body else ""


@every_way
async def test_what_is_shown_is_what_is_sent(way: str) -> None:
    sink = opened(way)
    requests = recorded(sink)
    found = previewed(FULL, sink)
    await sink.send(found.message)
    assert found.request is not None
    shown = [found.request.method, found.request.url, found.request.headers, found.request.body]
    assert shown in [list(told(sink, one)) for one in requests]


@pytest.mark.parametrize("locale", LOCALES)
@every_chat
def test_a_drawing_says_what_the_request_says_in_its_order(way: str, locale: str) -> None:
    for one in SAMPLES:
        found = previewed(one, opened(way), locale)
        assert found.fault is None
        assert Drawing(found.drawn(ZONE).html).words == seen(way, found), one.type


@pytest.mark.parametrize("locale", LOCALES)
@every_chat
def test_all_that_is_known_is_drawn_and_what_is_told_beside(way: str, locale: str) -> None:
    for given_ in (PLAIN, Circumstances(test=True), replace(circumstances(FULL), earlier=None)):
        found = previewed(FULL, opened(way, style="full"), locale, given_)
        assert Drawing(found.drawn(ZONE).html).words == seen(way, found)


@given(text=texts)
@every_chat
def test_a_hostile_text_is_drawn_as_text(way: str, text: str) -> None:
    found = previewed(event("user.limited", with_texts(EVERYTHING, text), f"user:{text}"), opened(way, style="full"))
    assert Drawing(found.drawn(ZONE).html).words == seen(way, found)


POSTED = st.fixed_dictionaries(
    {},
    optional={
        "content": texts,
        "username": texts,
        "embeds": st.lists(
            st.fixed_dictionaries(
                {"title": texts, "description": texts, "url": texts | st.just("https://x.example/?a=1&b='\"<>")},
                optional={
                    "fields": st.lists(st.fixed_dictionaries({"name": texts, "value": texts}), max_size=3),
                    "author": st.fixed_dictionaries({"name": texts}),
                    "footer": st.fixed_dictionaries({"text": texts}),
                    "color": st.integers(),
                    "image": st.fixed_dictionaries({"url": st.just('https://x.example/a.png?"><script>')}),
                },
            ),
            max_size=2,
        ),
        "poll": st.fixed_dictionaries(
            {
                "question": st.fixed_dictionaries({"text": texts}),
                "answers": st.lists(
                    st.fixed_dictionaries({"poll_media": st.fixed_dictionaries({"text": texts})}), max_size=3
                ),
            }
        ),
    },
)


@given(posted=POSTED)
@every_chat
def test_whatever_is_posted_becomes_no_markup(way: str, posted: Any) -> None:
    drawn = previewed(event("message.posted", {"message": posted}, None), opened(way)).drawn(ZONE)
    assert all(one.used >= 0 for one in drawn.measures)
    Drawing(drawn.html)


@given(texts=st.lists(texts, max_size=4), laid_out=st.booleans())
@every_chat
def test_components_become_no_markup(way: str, texts: list[str], laid_out: bool) -> None:
    rows = [{"type": 10, "content": one} for one in texts]
    link = {"type": 2, "style": 5, "label": "".join(texts) or "x", "url": 'https://x.example/"onclick=1'}
    picture = {"type": 11, "media": {"url": "https://x.example/a.png"}}
    section = {"type": 9, "components": rows[:3], "accessory": picture}
    components = [{"type": 17, "accent_color": 255, "components": [*rows, section]}, {"type": 1, "components": [link]}]
    gallery = {"type": 12, "items": [picture]}
    posted = {"components": [*components, gallery, {"type": 14}], "flags": 32768 if laid_out else 0}
    Drawing(previewed(event("message.posted", {"message": posted}, None), opened(way)).drawn(ZONE).html)


@pytest.mark.parametrize("service", CHATS)
def test_a_digest_is_drawn_whole(service: str) -> None:
    (way, *_) = [name for name in CHAT_WAYS if WAYS[name][0]["type"] == service]
    sink = opened(way)
    words = {"title": "three", "text": "three", "heading": "three", "more": "… {more}"}
    part = a_message({"title": "one", "text": "one", "heading": "one"})
    digest = a_digest(words, part, repeated(part, 3), untold=2)
    body = json.loads(sink.build_digest(digest).body)
    drawn = sink.look.service.draw(body, START)  # type: ignore[union-attr]
    assert Drawing(drawn.html).words == one_line(CHATS[service].seen(body))


@pytest.mark.parametrize("service", SERVICES)
def test_of_a_terminal_is_drawn_what_the_service_would_get(service: str) -> None:
    """Which it shows, and sends nowhere."""
    found = previewed(FULL, config(type="console", format=service).open(tools()))
    assert found.request is None
    assert Drawing(found.drawn(ZONE).html).words == one_line(CHATS[service].seen(found.shown))


def test_of_a_terminal_that_shows_events_is_drawn_the_event() -> None:
    found = previewed(FULL, config(type="console", format="event").open(tools()))
    assert json.loads(Drawing(found.drawn(ZONE).html).words) == json.loads(json.dumps(FULL.to_json()))


@pytest.mark.parametrize("way", [name for name in WAYS if name not in CHAT_WAYS])
def test_of_a_program_is_drawn_the_request(way: str) -> None:
    found = previewed(FULL, opened(way))
    assert found.request is not None
    words = Drawing(found.drawn(ZONE).html).words
    assert words.startswith(f"{found.request.method} {found.request.url}")
    assert all(one_line(f"{name} {value}") in words for name, value in found.request.headers.items())


def test_the_settings_of_a_specimen_reach_nobody() -> None:
    """What is built with them says nothing of a sink that is set up."""
    for service in SERVICES:
        found = previewed(FULL, config(type="console", format=service).open(tools()))
        assert found.shape(ZONE).request is None


UPDATES = [("discord webhook", "1/2", "PATCH"), ("slack token", "C0000001/1732160058.161673", "POST")]


@pytest.mark.parametrize(("way", "ref", "method"), [*UPDATES, ("telegram bot", "-1001/5", "POST")])
def test_of_an_update_is_shown_how_the_earlier_message_is_edited(way: str, ref: str, method: str) -> None:
    earlier = circumstances(FULL).earlier
    assert earlier is not None
    found = previewed(FULL, opened(way), given=Circumstances(earlier=replace(earlier, ref=ref)))
    assert found.request is not None
    assert found.request.method == method
    assert URL(found.request.url).name in ("1", "chat.update", "editMessageText")
    assert Drawing(found.drawn(ZONE).html).words == seen(way, found)


def test_a_template_that_fails_is_named_with_its_line() -> None:
    sink = config(type="telegram", token="1:A", chat_id=5, buttons=[{"text": "{{ 1 / 0 }}", "url": "x"}])
    fault = previewed(FULL, sink.open(tools())).shape(ZONE).fault
    assert fault is not None
    assert "button_0_text" in fault
    assert ":1" in fault


def test_how_full_a_message_is_is_counted_as_the_service_counts() -> None:
    measures = {
        one.name: (one.used, one.limit) for one in previewed(FULL, opened("discord webhook")).drawn(ZONE).measures
    }
    assert measures["title"][1] == 256
    assert 1 <= measures["fields"][0] <= measures["fields"][1] == 25
    assert 1 <= measures["characters"][0] <= measures["characters"][1] == 6000


def measured(one: Event, way: str) -> set[str]:
    return {measure.name for measure in previewed(one, opened(way)).drawn(ZONE).measures}


@every_chat
def test_a_page_has_words_for_whatever_is_measured(way: str) -> None:
    assert measured(FULL, way) <= MEASURES.keys()


@given(posted=POSTED)
@every_chat
def test_a_page_has_words_for_whatever_is_measured_of_what_was_posted(way: str, posted: Any) -> None:
    assert measured(event("message.posted", {"message": posted}, None), way) <= MEASURES.keys()


#: A word in every part that a posted message may have, in the order in which they are seen.
PARTS = {
    "username": "wordz",
    "content": "worda",
    "embeds": [
        {
            "author": {"name": "wordb"},
            "title": "wordc",
            "description": "wordd",
            "fields": [{"name": "worde", "value": "wordf"}, {"name": "wordg", "value": "wordh", "inline": True}],
            "image": {"url": "https://wordi.example/"},
            "thumbnail": {"url": "https://wordj.example/"},
            "footer": {"text": "wordk"},
        },
        {"title": "wordl"},
    ],
    "components": [{"type": 1, "components": [{"type": 2, "style": 5, "label": "wordm", "url": "https://x.example/"}]}],
    "poll": {"question": {"text": "wordn"}, "answers": [{"poll_media": {"text": "wordo"}}]},
}


@every_chat
def test_every_part_of_a_posted_message_is_drawn(way: str) -> None:
    found = previewed(event("message.posted", {"message": PARTS}, None), opened(way))
    drawing = Drawing(found.drawn(ZONE).html)
    shown = {*words_of(drawing.everything), *words_of(str(drawing.titles))}
    assert shown == set(words_of(json.dumps(found.shown)))
    order = words_of(seen(way, found))
    assert [one for one in words_of(drawing.words) if one in order] == order


def words_of(text: str) -> list[str]:
    return re.findall("word[a-z]", text)


def test_links_lead_nowhere_and_say_where_they_would() -> None:
    posted = {"content": "[here](https://x.example/a)"}
    for way in CHAT_WAYS:
        drawn = Drawing(previewed(event("message.posted", {"message": posted}, None), opened(way)).drawn(ZONE).html)
        assert "https://x.example/a" in drawn.titles, way


def test_without_its_drawing_a_preview_says_all_the_same() -> None:
    found = previewed(FULL, opened("telegram bot"))
    with_html, without = found.shape(ZONE).to_json(), found.shape(ZONE, html=False).to_json()
    assert without["html"] is None
    assert with_html | {"html": None} == without
    assert without["measures"][0]["limit"] == 4096
