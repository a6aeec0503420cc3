"""The link that stops mail: a look changes nothing, a click is kept, and what is no link is not there."""

import logging
import re

import aiohttp
import pytest

from bridge.errors import StoreUnavailable
from bridge.messages.catalog import LOCALES, catalog
from bridge.messages.stop_page import StopStep
from bridge.people.wants import mailbox_scope
from tests.ingress.running import Ingress

PLACE = "0123456789abcdef"
SCOPE = mailbox_scope(PLACE)


def link(ingress: Ingress) -> str:
    return ingress.url + ingress.stops.links.link(PLACE).removeprefix("https://bridge.example.com")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_look_changes_nothing(ingress: Ingress, http: aiohttp.ClientSession, method: str, slash: str) -> None:
    async with http.request(method, link(ingress) + slash) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    assert ingress.stops.kept == []


async def test_a_click_is_kept_and_another_one_takes_it_back(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    for query in ("", "", "?again=1"):
        async with http.post(link(ingress) + query, data={"List-Unsubscribe": "One-Click"}) as answer:
            assert answer.status == 200
    assert ingress.stops.kept == [(SCOPE, True), (SCOPE, True), (SCOPE, False)]


async def test_a_click_is_answered_without_its_body(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    async with http.post(link(ingress), headers={"Expect": "100-continue", "Content-Length": "1000000000"}) as answer:
        assert answer.status == 200
    assert ingress.stops.kept == [(SCOPE, True)]


@pytest.mark.parametrize(("method", "query", "step"), [
    ("GET", "", StopStep.ASKED), ("POST", "", StopStep.STOPPED), ("POST", "?again=1", StopStep.AGAIN),
])  # fmt: skip
async def test_the_page_says_it_in_every_language_loads_nothing_and_names_nobody(
    ingress: Ingress, http: aiohttp.ClientSession, method: str, query: str, step: StopStep
) -> None:
    async with http.request(method, link(ingress) + query) as answer:
        page, headers = await answer.text(), answer.headers
    sentence, button, action = step.value
    for locale in LOCALES:
        gettext = catalog(locale).gettext
        assert f"<p>{gettext(sentence)}</p>" in page
        assert f"<button>{gettext(button)}</button>" in page
    assert f'<form method="post" action="{action}">' in page
    assert not re.search(r"<script|<img|<link|src=|http|\son\w+=", page)
    assert PLACE not in page
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
async def test_a_token_that_is_none_of_ours_is_answered_like_a_path_that_is_not_there(
    ingress: Ingress, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    right = link(ingress)
    wrong = [right[:-1] + ("A" if right[-1] != "A" else "B"), f"{ingress.url}/stop/x", f"{right}x/", f"{right}/x"]
    caplog.set_level(logging.INFO)
    answers = []
    for url in (f"{ingress.url}/elsewhere/x", *wrong):
        async with http.request(method, url) as answer:
            headers = {name: value for name, value in answer.headers.items() if name != "Date"}
            answers.append((answer.status, headers, await answer.read()))
    assert answers[0][0] == 404
    assert answers == [answers[0]] * len(answers)
    assert ingress.stops.kept == []
    assert PLACE not in caplog.text


async def test_what_is_neither_a_look_nor_a_click_is_refused(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    async with http.put(link(ingress)) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert ingress.stops.kept == []


async def test_while_the_store_is_away_a_click_is_to_be_tried_again(
    ingress: Ingress, http: aiohttp.ClientSession
) -> None:
    ingress.stops.away = StoreUnavailable("the disk is full")
    async with http.post(link(ingress)) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
