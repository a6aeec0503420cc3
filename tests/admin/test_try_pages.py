"""The pages that show how things look: Try it, and an event's. They send nothing, keep nothing and tell no secret."""

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from bridge.admin.trials.trial import BODY, SHOWN
from bridge.samples import requests_of, sample
from bridge.value import replace
from tests.admin.drawings import Drawing, one_line
from tests.admin.trying import LOOK, SECRET, Site, a_site
from tests.fakes import START, an_event
from tests.messages.hostile import HOSTILE

#: What would be markup if it were not text, and what would end what it stands in.
WORSE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</textarea><script>",
    "</pre></div><svg onload=1>",
)
MARKUP = re.compile(r"<script>|<img|onerror=alert\(2\)>|<svg onload|<a href='tg|<b>bold|</textarea><script")
EXPIRED = sample("user.expired", at=START, panel="marzban", source="berlin")
ODD = replace(an_event(f"user:{HOSTILE[27]}"), data={"user": {"username": "".join((*HOSTILE, *WORSE))}})
LATER = an_event("user:later", type_="backup.done")


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[Site]:
    async with a_site(tmp_path, store_url, EXPIRED, ODD, LATER) as found:
        yield found


def drawn(page: str) -> list[Drawing]:
    """The messages on a page, each read strictly."""
    figures = re.findall(
        r"</figcaption>\s*(<div class=\"drawn.*?</div>)\s*(?=<details|<p class|</figure>)", page, re.DOTALL
    )
    return [Drawing(one) for one in figures]


def words(page: str) -> str:
    return one_line(unescape(re.sub(r"<[^>]*>", " ", page)))


async def test_it_begins_with_the_first_source_and_what_its_panel_may_send(site: Site) -> None:
    page = await site.get("/try")
    assert "berlin (marzban)" in page
    assert all(f'value="{name}"' in page for name in requests_of("marzban"))
    assert len(drawn(page)) == 3


async def test_what_is_tried_stands_in_the_address(site: Site) -> None:
    page = await site.get("/try?source=paris&sample=node.connection_lost")
    assert "It would go to night." in words(page)
    assert "No: the type is node.connection_lost, which is not among user.*" in words(page)
    (night,) = drawn(page)
    assert "fra-1" in night.words


async def test_a_body_that_was_changed_is_tried_and_only_what_would_happen_is_answered(site: Site) -> None:
    body = json.dumps([{"username": "zoe", "action": "user_created"}], indent=2).replace("\n", "\r\n")
    page = await site.post("/try", source="berlin", sample="user_created", body=body)
    assert "<html" not in page
    assert all("zoe" in one.everything for one in drawn(page))
    assert len(drawn(page)) == 3


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"source": "berlin", "body": "{"}, "the body is not JSON: "),
        ({"source": "berlin", "body": ""}, "the body is not JSON: "),
        ({"source": "nobody", "body": "{}"}, 'no source is called "nobody": there are berlin, paris'),
        ({"source": "berlin", "body": "x" * (BODY + 1)}, "the body has 262,145 bytes: at most 262,144 are tried"),
        ({"source": "berlin", "body": "[" * 100_000}, "the body is nested too deeply"),
        ({"source": "berlin", "body": '[{"username": "a", "action": "user_created"}, 5]'}, "[1] should be an object"),
    ],
)
async def test_what_cannot_be_tried_is_said_on_the_page(site: Site, form: dict[str, str], says: str) -> None:
    assert says in words(await site.post("/try", **form))


async def test_a_bigger_form_is_refused(site: Site) -> None:
    assert "413" in await site.post("/try", 413, source="berlin", body="x" * 900_000)


async def test_a_hostile_body_is_shown_as_text(site: Site) -> None:
    names = [one for one in (*HOSTILE, *WORSE) if one.strip()][-SHOWN:]
    body = json.dumps([{"username": one, "action": "user_created", one: one} for one in names])
    page = await site.post("/try", source="berlin", body=body)
    assert len(drawn(page)) == 3 * len(names)
    assert not MARKUP.search(page)
    whole = await site.get("/try?source=%22%3E%3Cscript%3E&sample=%22%3E%3Cscript%3E")
    assert not MARKUP.search(whole)


async def test_who_may_only_look_may_try(tmp_path: Path, store_url: str) -> None:
    async with a_site(tmp_path, store_url, token=LOOK) as site:
        body = '[{"username": "zoe", "action": "user_created"}]'
        assert "zoe" in await site.post("/try", source="berlin", body=body)


async def test_a_form_of_somebody_elses_is_refused(site: Site) -> None:
    async with site.browser.post("/try", data={"source": "berlin", "body": "[]"}) as response:
        assert response.status == 403


async def test_a_stored_event_is_tried_with_todays_table(site: Site) -> None:
    page = await site.get(f"/try?event={EXPIRED.id}")
    assert "It would go to ops, night, shop." in words(page)
    assert len(drawn(page)) == 3
    assert f"/events/{EXPIRED.id}" in page
    await site.get("/try?event=nothing", 404)


async def test_an_event_page_draws_it_as_it_was_told_to_each_sink(site: Site) -> None:
    page = await site.get(f"/events/{EXPIRED.id}")
    ops, night, shop = drawn(page)
    assert "User expired" in ops.words
    assert "کاربر" in night.words
    assert shop.words.startswith("POST ***")
    assert "5 of 25 fields" in words(page)
    assert f"/try?event={EXPIRED.id}" in page


@pytest.mark.parametrize(("look", "word"), [("en", "User"), ("fa", "کاربر"), ("ru", "ользовател")])
async def test_in_every_language(site: Site, look: str, word: str) -> None:
    ops, night, _ = drawn(await site.get(f"/events/{EXPIRED.id}?look={look}"))
    assert word in ops.words
    assert word in night.words


async def test_a_language_that_there_is_not_is_none(site: Site) -> None:
    """Nor a hostile one."""
    page = await site.get(f"/events/{EXPIRED.id}?look=%22%3E%3Cscript%3E")
    assert "<script>" not in page
    assert "User expired" in drawn(page)[0].words


async def test_a_hostile_event_is_drawn_as_text(site: Site) -> None:
    page = await site.get(f"/events/{ODD.id}")
    assert len(drawn(page)) == 3
    assert not MARKUP.search(page)


async def test_of_what_went_nowhere_nothing_is_drawn(site: Site) -> None:
    page = await site.get(f"/events/{LATER.id}")
    assert drawn(page) == []
    assert "How it looks" not in page


async def test_no_secret_is_on_any_of_them(site: Site) -> None:
    pages = [f"/events/{EXPIRED.id}", f"/try?event={EXPIRED.id}", "/try", "/try?source=paris"]
    for path in pages:
        page = await site.get(path)
        assert SECRET not in page
        assert "the-secret-of" not in page


async def test_drawings_have_no_name_that_the_pages_give_a_look_to() -> None:
    """What the one style sheet says of a class would be seen in the other's."""
    folder = Path(__file__).parents[2] / "bridge" / "admin" / "static"
    drawings = (folder / "previews.css").read_text().partition("/* The messages themselves */")[2]
    own = set(re.findall(r"\.([a-z][a-z-]*)", re.sub(r"\{[^}]*\}|/\*.*?\*/", " ", drawings)))
    frame = re.sub(r"\{[^{}]*\}|/\*.*?\*/", " ", (folder / "app.css").read_text(), flags=re.DOTALL)
    assert own & set(re.findall(r"\.([a-z][a-z-]*)", frame)) - {"dead"} == set()
