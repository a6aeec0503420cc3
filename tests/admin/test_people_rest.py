"""REST about people and announcements: what is told of whom, and what happens at a program's word."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bridge.admin.people import announcements, drafts
from bridge.people.chat import button_key
from bridge.people.link import hash_of
from bridge.people.wants import mailbox_scope
from bridge.sinks.email.address import mailbox_key
from bridge.store import open_ledger
from bridge.store.queries.announcements import announcement_of
from bridge.store.queries.audit import audit_records
from bridge.store.queries.links import put_link, take_unlinked, use_token
from bridge.store.queries.moves import note_moved, right_of, take_back
from bridge.store.queries.records import delivery_records
from bridge.store.queries.wishes import set_stopped, wishes_of
from bridge.store.records import AnnouncementState, DeliveryQuery
from tests.admin.crowd import NEWS, ODD_KEY, ODD_NAME, SENDER, WARNED, a_crowd
from tests.admin.running import ACT, LOOK, Desk
from tests.admin.visiting import page
from tests.fakes import START, FakeClock
from tests.processes import PATIENCE
from tests.store.announcing import make_uncertain
from tests.store.forgetting import columns_with

ALICE, BOB = "/people/berlin/user:alice", "/people/berlin/user:bob"
HERS = {"directory.key", "wishes.key", "told.key", "deliveries.recipient"}
SOON = {"to": ["all"], "sink": "dm", "words": {"en": "Soon < {{ me.name }}", "fa": "زود {% nothing %}"}}


@pytest.fixture
async def desk(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_crowd(tmp_path, store_url, clock) as opened:
        yield opened


async def ask(desk: Desk, method: str, path: str, body: Any = None, *, token: str = ACT) -> tuple[int, Any]:
    async with desk.program(token) as program, program.request(method, f"/api/v1{path}", json=body) as response:
        return response.status, await response.json(content_type=None)


async def found(desk: Desk, path: str, method: str = "GET", body: Any = None, **how: Any) -> Any:
    status, answer = await ask(desk, method, path, body, **how)
    assert status in (200, 201), answer
    return answer


# People


async def test_people_are_counted_and_their_bot_is_named(desk: Desk) -> None:
    assert await found(desk, "/people/counts") == {
        "records": 4, "linked": 2, "stopped": 1, "brands": [],
        "bot": {"bot": SENDER, "name": "@fravpn_bot", "reason": None},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", ["owner:reseller-7", f"user:{ODD_NAME}", "user:alice", "user:bob", "user:carol", "user:dora"]),
        ("?q=ali", ["user:alice"]),
        ("?q=user:", [f"user:{ODD_NAME}", "user:alice", "user:bob", "user:carol", "user:dora"]),
        ("?q=owner:res", ["owner:reseller-7"]),
        ("?q=a%25", []),
        ("?q=_lice", []),
        ("?q=A", []),
        ("?which=linked", [f"user:{ODD_NAME}", "user:carol"]),
        ("?which=stopped", ["user:bob"]),
        ("?which=linked&q=bo", []),
    ],
)
async def test_people_are_found_by_how_their_names_begin(desk: Desk, asked: str, expected: list[str]) -> None:
    items = (await found(desk, f"/people{asked}"))["items"]
    assert [f"{one['kind']}:{one['name']}" for one in items] == expected
    assert {one["realm"] for one in items} <= {"berlin"}


@pytest.mark.parametrize("limit", [1, 2, 6, 50])
async def test_walking_by_next_meets_everybody_once(desk: Desk, limit: int) -> None:
    met, after = [], ""
    while after is not None:
        page = await found(desk, f"/people?limit={limit}" + (f"&after={quote(after)}" if after else ""))
        met += [one["key"] for one in page["items"]]
        after = page["next"]
    assert len(met) == len(set(met)) == 6


async def test_of_one_it_is_told_where_they_are_reached_what_they_want_and_what_they_were_told(desk: Desk) -> None:
    alice = await found(desk, ALICE)
    assert alice["record"] == {"telegram": 700001, "locale": "fa", "zone": "Asia/Tehran"}
    assert alice["wants"] == {"categories": {"news": False}, "quiet": "23:00-08:00"}
    assert [(one["step"], one["family"], one["rank"]) for one in alice["steps"]] == [("3 days left", "left", -3)]
    assert [(one["event_id"], one["state"], one["reason"]) for one in alice["told"]] == [
        (NEWS.id, "held_back", "wants no status"),
        (WARNED.id, "delivered", None),
    ]
    assert [(one["sink"], one["how"], one["address"]) for one in alice["reach"]] == [
        ("dm", "directory", "700001"),
        ("mail", None, None),
    ]
    bob = await found(desk, BOB)
    assert (bob["stopped_at"], bob["by"]) == ("2026-11-21T04:14:18Z", "themselves")
    assert [(one["sink"], one["gone"]) for one in bob["reach"]] == [("dm", "HTTP 403: blocked"), ("mail", None)]
    carol = await found(desk, "/people/berlin/user:carol")
    assert (carol["record"], carol["reach"][0]["how"], carol["reach"][0]["address"]) == (None, "link", "700003")


async def test_a_mailbox_that_its_link_has_stopped_is_told(desk: Desk, store_url: str) -> None:
    scope = mailbox_scope(mailbox_key("bob@example.com"))
    with open_ledger(store_url) as ledger:
        ledger.write(set_stopped, scope, stop=True, by="themselves", now=START)
    assert (await found(desk, BOB))["stops"] == [
        {"at": "2026-11-21T04:14:18Z", "by": "themselves", "where": "bob@example.com"}
    ]


async def test_who_may_look_alone_sees_no_address_and_nobody_sees_a_webhook(desk: Desk) -> None:
    for one in ("alice", "bob", "carol", "dora"):
        seen = json.dumps(await found(desk, f"/people/berlin/user:{one}", token=LOOK))
        assert re.search(r"70000\d|bob@|dora@", seen) is None, seen
    assert "hers" not in json.dumps(await found(desk, "/people/berlin/user:dora"))


async def test_a_name_is_nothing_but_a_name(desk: Desk) -> None:
    assert (await found(desk, f"/people/berlin/user:{quote(ODD_NAME, safe='')}"))["key"] == ODD_KEY
    stranger = await found(desk, "/people/berlin/user:a%252Fb")
    assert (stranger["key"], stranger["links"]) == ("berlin/user:a%2Fb", [])


@pytest.mark.parametrize(
    "path", ["/people/berlim/user:alice", "/people/berlin/alice", "/people/berlin/user:", "/people/berlin/user:a%00"]
)
async def test_nobody_is_called_so(desk: Desk, path: str) -> None:
    assert (await ask(desk, "GET", path))[0] == 404


async def test_wishes_are_changed_one_by_one_and_taken_back(desk: Desk) -> None:
    wanted = await found(desk, f"{ALICE}/wishes", "PATCH", {"news": None, "status": False, "locale": "ru"})
    assert wanted["wants"] == {"categories": {"status": False}, "quiet": "23:00-08:00", "locale": "ru"}
    assert (await found(desk, f"{ALICE}/wishes", "PATCH", {"quiet": None}))["wants"].keys() == {"categories", "locale"}
    assert (await found(desk, f"{BOB}/start", "POST"))["stopped_at"] is None
    assert (await found(desk, f"{ALICE}/stop", "POST"))["by"] == "operator"
    for wrong in ({"quiet": "night"}, {"promo": True}, {"locale": "de"}):
        assert (await ask(desk, "PATCH", f"{ALICE}/wishes", wrong))[0] == 422
    status, problem = await ask(desk, "PATCH", f"{ALICE}/wishes", {"zone": "Tehran"})
    assert (status, problem["detail"]) == (409, "zone: should be a time zone: did you mean Asia/Tehran?")


async def test_a_link_is_told_once_works_once_and_can_be_made_void(desk: Desk, store_url: str) -> None:
    given = await found(desk, f"{ALICE}/link", "POST", {"expire": "2d"})
    token = given["link"].removeprefix("https://t.me/fravpn_bot?start=")
    assert given["until"] == "2026-11-23T04:14:18Z"
    assert (await found(desk, ALICE))["given_away"] == 1
    with open_ledger(store_url) as ledger:
        assert ledger.write(use_token, hash_of(token), SENDER, "9", now=START) == "berlin/user:alice"
    await found(desk, f"{ALICE}/link", "POST")
    assert await found(desk, f"{ALICE}/link", "DELETE") == {"key": "berlin/user:alice", "revoked": 1}
    assert (await ask(desk, "POST", "/people/berlin/owner:reseller-7/link"))[0] == 409


async def test_a_link_is_ended_and_what_is_shown_makes_one_again(desk: Desk, store_url: str) -> None:
    carol, key = "/people/berlin/user:carol", "berlin/user:carol"
    with open_ledger(store_url) as ledger:
        ledger.write(note_moved, key, SENDER, now=START)
        ledger.write(put_link, key, SENDER, "9", how="token", now=START)
        right = ledger.read(right_of, SENDER, "700003", button_key(key), now=START)
        assert right is not None
        ledger.write(take_back, right, by="themselves", now=START)
    seen = await found(desk, carol, token=LOOK)
    assert (seen["no_proofs_since"], len(seen["links"])) == ("2026-11-21T04:14:18Z", 1)
    for name in ("unlink", "free"):
        assert (await ask(desk, "POST", f"{carol}/{name}", token=LOOK))[0] == 403
    for number in (1, 0):
        assert await found(desk, f"{carol}/unlink", "POST") == {"key": key, "unlinked": number}
        assert await found(desk, f"{carol}/free", "POST") == {"key": key, "freed": bool(number)}
    seen = await found(desk, carol)
    assert (seen["no_proofs_since"], seen["links"]) == (None, [])
    with open_ledger(store_url) as ledger:
        deeds = [(one.action, one.detail) for one in ledger.read(audit_records, limit=4)]
        told = ledger.write(take_unlinked, SENDER, most=5)
    assert [one for one in deeds if "freed" not in one[1]] == [
        ("link", {"key": key, "unlinked": 0}),
        ("link", {"key": key, "unlinked": 1}),
    ]
    assert [(one.chat, one.revoked) for one in told] == [("700003", False)]


async def test_what_is_known_goes_out_and_comes_in_as_lines(desk: Desk, store_url: str) -> None:
    async with desk.program(ACT) as program:
        async with program.get("/api/v1/people/export") as response:
            lines = await response.text()
        said = {"Content-Type": "application/jsonl"}
        assert len(lines.splitlines()) > 8
        async with program.post("/api/v1/people/import", data=lines, headers=said) as response:
            assert await response.json() == {"changed": {}, "dry_run": False}
        await found(desk, f"{BOB}/start", "POST")
        for dry_run, expected in (("true", None), ("false", START)):
            path = f"/api/v1/people/import?dry_run={dry_run}"
            async with program.post(path, data=lines, headers=said) as response:
                assert (await response.json())["changed"] == {"wishes": 1}
            with open_ledger(store_url) as ledger:
                assert ledger.read(wishes_of, ["berlin/user:bob"])["berlin/user:bob"].stopped_at == expected
        async with program.post("/api/v1/people/import", data=lines + "{\n", headers=said) as response:
            assert response.status == 422
            assert f"line:{len(lines.splitlines()) + 1}: is no JSON" in (await response.json())["detail"]


async def test_who_is_forgotten_is_gone_and_what_that_would_be_is_said_before(desk: Desk, store_url: str) -> None:
    told = await found(desk, f"{ALICE}?dry_run=true", "DELETE")
    assert (told["rows"]["events"], told["dry_run"], told["done"]) == (2, True, True)
    assert columns_with(store_url, "user:alice") >= HERS
    assert (await found(desk, ALICE, "DELETE"))["rows"] == told["rows"]
    assert HERS & columns_with(store_url, "user:alice") == set()
    assert (await ask(desk, "DELETE", "/people/berlin/owner:reseller-7"))[0] == 409
    with open_ledger(store_url) as ledger:
        assert "berlin/user:alice" not in ledger.read(wishes_of, ["berlin/user:alice"])


# Announcements


async def test_it_is_counted_and_drawn_before_anything_is_sent(desk: Desk, store_url: str) -> None:
    draft = await found(desk, "/announcements/count", "POST", SOON, token=LOOK)
    assert (draft["reached"], draft["unreached"], draft["chosen"]) == (4, 1, ["all"])
    assert [(one["locale"], one["people"]) for one in draft["readings"]] == [("en", 3), ("fa", 1)]
    english, persian = draft["readings"]
    assert "Soon &lt; " in english["words"]
    assert "{% nothing %}" in persian["words"]
    assert "<" in english["preview"]["html"]
    with open_ledger(store_url) as ledger:
        assert len(ledger.read(delivery_records, DeliveryQuery(sink="dm", limit=None))) == 2


BY_NAME = {"to": ["all"], "sink": "dm", "template": "maintenance", "start": "2026-12-01 23:30", "end": "00:30"}


async def test_it_may_be_a_template_by_its_name_with_its_times(desk: Desk) -> None:
    draft = await found(desk, "/announcements/count", "POST", BY_NAME, token=LOOK)
    english, persian = draft["readings"]
    assert re.sub("[\u2066-\u2069]", "", english["words"]).startswith(
        "🛠 From 2026-12-01 23:30 to 00:30 we work on the servers."
    )
    assert "کار می‌کنیم" in persian["words"]
    made = await found(desk, "/announcements", "POST", {**BY_NAME, "count": 4})
    assert (made["counted"], made["state"]) == (4, "put")


@pytest.mark.parametrize(
    ("changed", "status", "detail"),
    [
        (
            {"template": "maintenanse"},
            404,
            'announce: no template is called "maintenanse": did you mean "maintenance"?',
        ),
        ({"template": "../announcements/maintenance"}, 404, None),
        ({"start": "tonight"}, 409, "announce: start should be a time such as 2026-12-01 02:00, not tonight"),
        ({"end": "25:00"}, 409, "announce: end should be a time such as 2026-12-01 02:00, not 25:00"),
        ({"words": {"en": "both"}}, 422, None),
        ({"template": ""}, 422, None),
    ],
)
async def test_a_template_that_is_not_there_is_told(
    desk: Desk, changed: dict[str, Any], status: int, detail: str | None
) -> None:
    answered, problem = await ask(desk, "POST", "/announcements/count", {**BY_NAME, **changed})
    assert (answered, problem["detail"]) == (status, detail or problem["detail"])


async def test_it_is_announced_with_the_number_that_was_counted_and_each_has_it_once(
    desk: Desk, store_url: str
) -> None:
    status, problem = await ask(desk, "POST", "/announcements", {**SOON, "count": 3})
    assert (status, problem["detail"]) == (409, "announce: nothing is sent: it reaches 4 now, and not 3")
    made = await found(desk, "/announcements", "POST", {**SOON, "count": 4})
    assert (made["counted"], made["made"], made["state"], made["by"]) == (4, 4, "put", "token at 127.0.0.1")
    people = await found(desk, f"/announcements/{made['id']}/people?limit=3")
    rest = await found(desk, f"/announcements/{made['id']}/people?after={people['next']}")
    keys = [one["key"] for one in (*people["items"], *rest["items"])]
    assert sorted(keys) == sorted([ODD_KEY, *(f"berlin/user:{one}" for one in ("alice", "bob", "carol"))])
    assert rest["next"] is None
    assert (await found(desk, f"/announcements/{made['id']}/people?state=delivered"))["items"] == []
    status, problem = await ask(desk, "POST", "/announcements", {**SOON, "count": 4})
    assert (status, problem["status"]) == (409, 409)
    assert "the very same was announced as" in problem["detail"]
    again = await found(desk, "/announcements", "POST", {**SOON, "count": 4, "again": True})
    listed = (await found(desk, "/announcements"))["items"]
    assert [one["id"] for one in listed] == [again["id"], made["id"], 1]


async def test_the_very_same_is_refused_within_the_hour_whatever_else_was_announced_meanwhile(
    desk: Desk, clock: FakeClock
) -> None:
    first, second = {**SOON, "count": 4}, {**SOON, "words": {"en": "Something else"}, "count": 4}
    assert (await ask(desk, "POST", "/announcements", first))[0] == 201
    assert (await ask(desk, "POST", "/announcements", second))[0] == 201
    for again in (first, second):
        assert (await ask(desk, "POST", "/announcements", again))[0] == 409
    clock.step(drafts.SOON.total_seconds())
    assert (await ask(desk, "POST", "/announcements", first))[0] == 201


@pytest.mark.parametrize("text", [r"""{{ "it\'s" }}""", r'{{ "\x41" }}', '{{ "a\nb" }}'])
async def test_whatever_its_template_holds_its_pages_are_shown(desk: Desk, text: str) -> None:
    body = {"to": ["all"], "sink": "dm", "text": text, "count": 4}
    made = await found(desk, "/announcements", "POST", body)
    for path in ("/announcements", f"/announcements/{made['id']}"):
        await page(desk, path)


async def test_it_is_stopped_and_goes_on(desk: Desk) -> None:
    made = await found(desk, "/announcements", "POST", {**SOON, "count": 4})
    path = f"/announcements/{made['id']}"
    assert (await found(desk, f"{path}/stop", "POST"))["deliveries"] == 4
    stopped = await found(desk, path)
    assert (stopped["state"], [(one["state"], one["people"]) for one in stopped["outcomes"]]) == (
        "stopped",
        [("held_back", 4)],
    )
    assert (await found(desk, f"{path}/resume", "POST"))["deliveries"] == 4
    assert (await found(desk, path))["state"] == "put"


async def test_who_may_have_got_it_is_told_once_more(desk: Desk, store_url: str) -> None:
    made = await found(desk, "/announcements", "POST", {**SOON, "count": 4})
    path = f"/announcements/{made['id']}"
    with open_ledger(store_url) as ledger:
        [first, *others] = make_uncertain(ledger, made["id"])
    assert (await ask(desk, "POST", f"{path}/retry", token=LOOK))[0] == 403
    status, problem = await ask(desk, "POST", f"{path}/retry", {"deliveries": [first, 99]})
    assert (status, problem["detail"]) == (
        409,
        f"announce: delivery 99 is none of announcement {made['id']} that is uncertain",
    )
    for wrong in ({"deliveries": []}, {"deliveries": [True]}, {"delivery": first}):
        assert (await ask(desk, "POST", f"{path}/retry", wrong))[0] == 422
    assert await found(desk, f"{path}/retry", "POST", {"deliveries": [first]}) == {"id": made["id"], "deliveries": 1}
    left = (await found(desk, f"{path}/people?uncertain=true"))["items"]
    assert [one["delivery"] for one in left] == others
    assert (await found(desk, f"{path}/retry", "POST"))["deliveries"] == 3
    assert (await found(desk, f"{path}/retry", "POST"))["deliveries"] == 0
    assert [(one["state"], one["people"]) for one in (await found(desk, path))["outcomes"]] == [("waiting", 4)]


async def test_one_whose_deliveries_are_not_all_made_goes_on_where_it_was(desk: Desk, store_url: str) -> None:
    await found(desk, "/announcements/1/resume", "POST")
    async with asyncio.timeout(PATIENCE):
        while (one := await found(desk, "/announcements/1"))["state"] != "put":
            await asyncio.sleep(0.01)
    assert (one["made"], one["going_on"]) == (4, False)
    with open_ledger(store_url) as ledger:
        record = ledger.read(announcement_of, 1)
    assert record is not None
    assert record.state is AnnouncementState.PUT


@pytest.mark.parametrize(
    ("changed", "status", "detail"),
    [
        ({"to": ["everybody"]}, 409, f'announce: "everybody" is nobody: say {drafts.WHOM}'),
        ({"to": ["user:eve"]}, 409, "announce: nobody is meant by that whom this sink reaches"),
        ({"to": ["realm:berlim"]}, 404, 'announce: no realm named "berlim": did you mean "berlin"?'),
        ({"sink": "ops"}, 409, 'announce: "ops" is no sink of customers: its address should speak of person'),
        ({"sink": "opps"}, 404, None),
        ({"words": {"en": " "}}, 409, "announce: say something, in one language at least"),
        ({"words": {"en": "{{ me.plan.nothing.at.all }}"}}, 409, None),
        ({"words": None, "text": "{% block"}, 409, None),
        ({"words": None}, 422, "#/words: is missing"),
        ({"text": "both"}, 422, None),
        ({"category": "gossip"}, 422, None),
        ({"to": []}, 422, None),
    ],
)
async def test_what_cannot_be_announced_says_why(
    desk: Desk, changed: dict[str, Any], status: int, detail: str | None
) -> None:
    body = {**SOON, **changed, "count": 4}
    answered, problem = await ask(desk, "POST", "/announcements", {k: v for k, v in body.items() if v is not None})
    assert (answered, problem["detail"]) == (status, detail or problem["detail"])
    assert len((await found(desk, "/announcements"))["items"]) == 1


async def test_one_that_is_not_there_is_not_there(desk: Desk) -> None:
    for method, path in (("GET", ""), ("GET", "/people"), ("POST", "/stop"), ("POST", "/resume"), ("POST", "/retry")):
        assert (await ask(desk, method, f"/announcements/77{path}"))[0] == 404


async def test_deliveries_that_take_their_time_go_on_after_the_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "SOON", 0.0)
    made = await found(desk, "/announcements", "POST", {**SOON, "count": 4})
    async with asyncio.timeout(PATIENCE):
        while (one := await found(desk, f"/announcements/{made['id']}"))["going_on"]:
            await asyncio.sleep(0.01)
    assert (one["made"], one["state"]) == (4, "put")
