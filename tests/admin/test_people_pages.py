"""The pages of people and announcements: what they say, to whom, and what is done on them."""

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from bridge.admin.people.drafts import gist, template_of
from bridge.errors import BridgeError
from bridge.people.chat import button_key
from bridge.store import open_ledger
from bridge.store.queries.announcements import people_of
from bridge.store.queries.links import put_link
from bridge.store.queries.moves import note_moved, right_of, take_back
from bridge.store.queries.wishes import wishes_of
from tests.admin.crowd import ODD_NAME, SENDER, a_crowd
from tests.admin.reading import Tags
from tests.admin.running import LOOK, TOKENS, Desk, form_token, running_admin, sign_in
from tests.fakes import START, FakeClock
from tests.store.announcing import make_uncertain
from tests.store.forgetting import columns_with

ALICE, BOB = "/people/berlin/user:alice", "/people/berlin/user:bob"
SOON = {"whom": "all", "sink": "dm", "words_en": "Soon, {{ me.name }}", "words_fa": "زود", "category": "news"}


@pytest.fixture
async def desk(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_crowd(tmp_path, store_url, clock) as opened:
        yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[aiohttp.ClientSession]:
    async with desk.browser() as opened:
        await sign_in(opened)
        yield opened


async def shown(browser: aiohttp.ClientSession, path: str) -> str:
    async with browser.get(path) as response:
        assert response.status == 200, await response.text()
        return Tags.text(await response.text())


async def press(browser: aiohttp.ClientSession, path: str, form: Mapping[str, str] | None = None) -> str:
    """What is read where a form leads."""
    said = {"form_token": await form_token(browser), **(form or {})}
    async with browser.post(path, data=said) as response:
        assert response.status == 200, await response.text()
        return Tags.text(await response.text())


async def test_people_are_in_the_navigation_where_the_file_has_customers(
    tmp_path: Path, store_url: str, clock: FakeClock, browser: aiohttp.ClientSession
) -> None:
    async with browser.get("/") as response:
        assert 'href="/people"' in await response.text()
    (tmp_path / "other").mkdir()
    other = f"sqlite:///{tmp_path}/other/panelbridge.db"
    async with running_admin(tmp_path / "other", other, clock, admin=TOKENS) as desk, desk.browser() as stranger:
        await sign_in(stranger)
        async with stranger.get("/") as response:
            assert 'href="/people"' not in await response.text()
        assert "The file has no sink of customers." in await shown(stranger, "/announcements")


async def test_people_are_counted_and_found(browser: aiohttp.ClientSession) -> None:
    every = await shown(browser, "/people")
    assert "The directory knows 4. 2 have linked a chat. One wants nothing." in every
    assert "their bot is heard @fravpn_bot" in every
    assert ODD_NAME in every
    assert "carol" not in await shown(browser, "/people?q=ali")
    assert "bob" in await shown(browser, "/people?which=stopped")
    assert "Nobody whose name begins with “eve”." in await shown(browser, "/people?q=eve")


async def test_of_one_it_is_read_where_they_are_reached_what_they_want_and_were_told(
    browser: aiohttp.ClientSession,
) -> None:
    alice = await shown(browser, ALICE)
    for said in ("Is reached by dm.", "700001", "3 days left", "held back wants no status", "user.expiring"):
        assert said in alice
    assert "Wants to be told nothing. Since 07:44:18, said by themselves." in await shown(browser, BOB)
    assert "HTTP 403: blocked" in await shown(browser, BOB)
    odd = await shown(browser, f"/people/berlin/user:{quote(ODD_NAME, safe='')}")
    assert "Linked chat 700004 of telegram bot" in odd
    assert "Nothing is known of anybody of that name." in await shown(browser, "/people/berlin/user:eve")


async def test_who_may_look_alone_sees_no_address(desk: Desk) -> None:
    async with desk.browser() as looking:
        await sign_in(looking, LOOK)
        for path in (ALICE, BOB, "/people/berlin/user:carol"):
            assert re.search(r"70000\d|bob@example", await shown(looking, path)) is None


async def test_they_are_stopped_and_told_again_and_wishes_are_kept(
    browser: aiohttp.ClientSession, store_url: str
) -> None:
    assert "Nothing is told to them any more." in await press(browser, f"{ALICE}/stop")
    assert "They are told again." in await press(browser, f"{ALICE}/start")
    said = {"news": "on", "status": "off", "reminders": "", "locale": "ru", "zone": "", "quiet": "22:00-06:00"}
    assert "That is what they are told from now on." in await press(browser, f"{ALICE}/wishes", said)
    with open_ledger(store_url) as ledger:
        wish = ledger.read(wishes_of, ["berlin/user:alice"])["berlin/user:alice"]
    assert wish.wants.to_json() == {
        "categories": {"news": True, "status": False}, "locale": "ru", "quiet": "22:00-06:00",
    }  # fmt: skip
    assert "quiet: should be two times of the day" in await press(browser, f"{ALICE}/wishes", {"quiet": "night"})


async def test_a_link_is_shown_this_once(browser: aiohttp.ClientSession) -> None:
    said = {"form_token": await form_token(browser)}
    async with browser.post(f"{ALICE}/link", data=said, allow_redirects=False) as response:
        there = response.headers["Location"]
    assert "https://t.me/" not in there
    assert "https://t.me/fravpn_bot?start=" in await shown(browser, there)
    assert "https://t.me/" not in await shown(browser, there)
    assert "Void one link that was given away" in await shown(browser, ALICE)
    assert "are void." in await press(browser, f"{ALICE}/revoke")


async def test_a_link_is_ended_once_that_was_asked(browser: aiohttp.ClientSession, desk: Desk, store_url: str) -> None:
    carol = "/people/berlin/user:carol"
    assert "End their link …" in await shown(browser, carol)
    asked = await shown(browser, f"{carol}?ask=unlink")
    assert "End their link?" in asked
    assert "700003" in asked
    ended = await press(browser, f"{carol}/unlink")
    assert "No chat is theirs any more." in ended
    assert "700003" not in ended
    assert "End their link?" not in await shown(browser, f"{carol}?ask=unlink")


async def test_that_it_was_not_them_is_seen_until_somebody_lets_it_be(
    browser: aiohttp.ClientSession, desk: Desk, store_url: str
) -> None:
    carol, key, before = "/people/berlin/user:carol", "berlin/user:carol", "They said: that was not me"
    assert before not in await shown(browser, carol)
    with open_ledger(store_url) as ledger:
        ledger.write(note_moved, key, SENDER, now=START)
        ledger.write(put_link, key, SENDER, "9", how="token", now=START)
        right = ledger.read(right_of, SENDER, "700003", button_key(key), now=START)
        assert right is not None
        ledger.write(take_back, right, by="themselves", now=START)
    assert before in await shown(browser, carol)
    async with desk.browser() as looking:
        await sign_in(looking, LOOK)
        seen = await shown(looking, f"{carol}?ask=unlink")
        assert before in seen
        assert "Let it link them again" not in seen
        assert "End their link" not in seen
    freed = await press(browser, f"{carol}/free")
    assert "What they show to the bot links them again." in freed
    assert before not in freed


async def test_who_is_forgotten_is_so_once_the_name_was_typed(browser: aiohttp.ClientSession, store_url: str) -> None:
    assert "Type the name, alice" in await shown(browser, f"{ALICE}?ask=forget")
    assert "nothing was erased: that is another name" in await press(browser, f"{ALICE}/forget", {"name": "bob"})
    assert "wishes.key" in columns_with(store_url, "user:alice")
    assert "They are forgotten." in await press(browser, f"{ALICE}/forget", {"name": "alice"})
    assert {"wishes.key", "told.key", "deliveries.recipient"} & columns_with(store_url, "user:alice") == set()


async def test_an_announcement_is_counted_drawn_and_sent_to_as_many(
    browser: aiohttp.ClientSession, store_url: str
) -> None:
    drawn = await press(browser, "/announcements/new", SOON)
    for said in ("It reaches 4 people", "Without an address 1", "Soon, ", "زود"):
        assert said in drawn
    wrong = await press(browser, "/announcements/send", {**SOON, "count": "3"})
    assert "it reaches 4 now, and not 3" in wrong
    assert "Soon, {{ me.name }}" in wrong
    sent = await press(browser, "/announcements/send", {**SOON, "count": "4"})
    assert "It is on its way." in sent
    assert "Delivered to 0 of 4 people. 4 wait." in sent
    assert "the very same was announced as 2" in await press(browser, "/announcements/send", {**SOON, "count": "4"})
    assert "4 wait" not in await press(browser, "/announcements/2/stop")
    assert "It goes on." in await press(browser, "/announcements/2/resume")
    with open_ledger(store_url) as ledger:
        assert len(ledger.read(people_of, 2, limit=None)) == 4
    listed = await shown(browser, "/announcements")
    assert "0 of 4" in listed
    assert "stopped" in listed
    assert "carol" in await shown(browser, "/announcements/2?state=waiting")
    assert "carol" not in await shown(browser, "/announcements/2?state=held_back&after=oops")


async def test_an_announcement_may_be_a_template_by_its_name(browser: aiohttp.ClientSession) -> None:
    form = {"whom": "all", "sink": "dm", "template": "maintenance", "start": "2026-12-01 02:00", "end": "02:30"}
    drawn = await press(browser, "/announcements/new", form)
    assert "From 2026-12-01 02:00 to 02:30 we work on the servers." in re.sub("[\u2066-\u2069]", "", drawn)
    sent = await press(browser, "/announcements/send", {**form, "count": "4"})
    assert "It is on its way." in sent
    for changed, said in (
        ({"template": "nope"}, 'no template is called "nope"'),
        ({"start": "soon"}, "start should be a time such as 2026-12-01 02:00"),
        ({"text": "Both"}, "say a template by its name, or write what is said: not both"),
        ({"words_fa": "هر دو"}, "say a template by its name, or write what is said: not both"),
    ):
        assert said in await press(browser, "/announcements/new", {**form, **changed})
        kept = await press(browser, "/announcements/send", {**form, **changed, "count": "4"})
        assert said in kept


async def test_who_may_have_got_it_is_told_once_more_one_by_one_or_all(
    browser: aiohttp.ClientSession, desk: Desk, store_url: str
) -> None:
    await press(browser, "/announcements/send", {**SOON, "count": "4"})
    page = "/announcements/2"
    with open_ledger(store_url) as ledger:
        [first, *others] = make_uncertain(ledger, 2)
    assert "Send it to 4 of them once more" in await shown(browser, page)
    async with desk.browser() as looking:
        await sign_in(looking, LOOK)
        seen = await shown(looking, page)
        assert "4 may have got it" in seen
        assert "nce more" not in seen
    one = await press(browser, f"{page}/retry", {"delivery": str(first)})
    assert "It is sent to them once more." in one
    assert "Send it to 3 of them once more" in one
    again = await press(browser, f"{page}/retry", {"delivery": str(first)})
    assert "It is sent to them once more." not in again, "somebody was quicker"
    rest = await press(browser, f"{page}/retry")
    assert "may have got it" not in rest
    with open_ledger(store_url) as ledger:
        assert [one.uncertain for one in ledger.read(people_of, 2, limit=None)] == [False] * (1 + len(others))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"whom": "berlin/user:", "name": "eve"}, "nobody is meant by that whom this sink reaches"),
        ({"whom": "berlin/owner:", "name": " "}, "say whom, as owner:NAME"),
        ({"words_en": " ", "words_fa": ""}, "say something, in one language at least"),
        ({"text": "{% block"}, "the template fails"),
        ({"category": "gossip"}, "category should be reminders, status, news"),
    ],
)
async def test_what_cannot_be_announced_says_why_beside_the_form(
    browser: aiohttp.ClientSession, changed: dict[str, str], said: str
) -> None:
    found = await press(browser, "/announcements/new", {**SOON, **changed})
    assert said in found
    assert "Count and show" in found


@pytest.mark.parametrize("path", ["/announcements/77", "/announcements/x", "/people/berlim/user:a", "/people/berlin/a"])
async def test_what_is_not_there_is_not_there(browser: aiohttp.ClientSession, path: str) -> None:
    async with browser.get(path) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"""{{ "it\'s" }}""", "it's"),
        (r'{{ "\x41" }}', "A"),
        ('{{ "a\nb" }}', "a b"),
        (r'{{ "زود\n☀" }}', "زود ☀"),
        (r'{{ "\ud800" }}', "?"),
        (r'{{ "\x" }}', r'"\x"'),
        (r'{{ "\N{nothing}" }}', r'"\N{nothing}"'),
    ],
)
def test_words_of_a_template_are_read_as_jinja_reads_them(text: str, said: str) -> None:
    assert gist(text, "en") == said


def test_words_are_nothing_but_words_in_a_template() -> None:
    text = template_of({"en": 'a "quoted" {% if %} {# no #} \\ {{ me.name }} <b>', "fa": "", "ru": "да"})
    assert gist(text, "en") == 'a "quoted" {% if %} {# no #} \\ {{ me.name }} <b>'
    assert gist(text, "ru") == "да"
    assert gist(text, "fa") == gist(text, "en")
    with pytest.raises(BridgeError, match="say something"):
        template_of({"en": " "})
