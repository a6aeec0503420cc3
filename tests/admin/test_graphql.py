"""GraphQL: what OrbVPN's clients ask for, by a client of somebody else's, and how much one request may ask for."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from graphql import get_introspection_query

from bridge.admin.graphql.limits import BODY
from bridge.admin.graphql.resolvers import endpoint_of
from bridge.admin.graphql.schema import schema, sdl
from bridge.errors import TooSoon
from bridge.outcome import Attempt, Delivered, Gone
from bridge.sinks import CONFIGS
from bridge.store.base import State
from bridge.store.queries import walk
from tests.admin.running import ACT, ALICE, BOB, LOOK, ODD, Desk, form_token, held_up, running_admin, sign_in
from tests.admin.test_sink_test import Prober
from tests.fakes import FakeClock
from tests.services.every import EVERY, WAYS
from tests.services.known import SECRET
from tests.sinks.test_addresses import ADDRESSED

#: As OrbVPN's document writes it.
DOCUMENTED = 'mutation { testWebhookConfiguration(id: "your-webhook-id") }'
WEBHOOKS = """
webhooks:
  - id: your-webhook-id
    name: Sales
    providerType: SLACK
    endpoint: https://hooks.slack.com/services/T2/B2/secretofsalessecretofsales
    subscribedEvents: [USER_CREATED]
    maxRetries: 5
    retryDelay: 60
"""


@pytest.fixture
def prober() -> Prober:
    return Prober(Attempt(Delivered(), 200, "ok"))


@pytest.fixture
async def desk(tmp_path: Path, store_url: str, clock: FakeClock, prober: Prober) -> AsyncIterator[Desk]:
    async with running_admin(tmp_path, store_url, clock, probe=prober, more=WEBHOOKS) as opened:
        yield opened


async def by_gql(desk: Desk, text: str, *, fetch: bool = False, **variables: Any) -> dict[str, Any]:
    """What a client that nobody here wrote is answered; with `fetch` it asks for the schema first, and checks by it."""
    transport = AIOHTTPTransport(f"{desk.url}/graphql", headers={"Authorization": f"Bearer {ACT}"}, ssl=False)
    async with Client(transport=transport, fetch_schema_from_transport=fetch) as session:
        query = gql(text)
        query.variable_values = variables
        answer: dict[str, Any] = await session.execute(query)
        return answer


async def post(desk: Desk, text: str, *, token: str = ACT, **variables: Any) -> tuple[int, dict[str, Any]]:
    """The status, and what is answered."""
    body = {"query": text, "variables": variables}
    async with desk.program(token) as program, program.post("/graphql", json=body) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        return response.status, answer


async def data(desk: Desk, text: str, **variables: Any) -> dict[str, Any]:
    status, answer = await post(desk, text, **variables)
    assert (status, answer.get("errors")) == (200, None)
    found: dict[str, Any] = answer["data"]
    return found


# The document's own mutation


@pytest.mark.parametrize("fetch", [False, True])
async def test_the_documents_own_mutation_answers_true_where_it_was_delivered(
    desk: Desk, prober: Prober, fetch: bool
) -> None:
    assert await by_gql(desk, DOCUMENTED, fetch=fetch) == {"testWebhookConfiguration": True}
    [(sink, event, _)] = prober.sent
    assert (sink, event.type) == ("sales", "user.created")


async def test_what_was_not_delivered_is_an_error_in_the_services_words(desk: Desk, prober: Prober) -> None:
    prober.attempt = Attempt(Gone("HTTP 404: no_service"), 404, "no_service")
    with pytest.raises(TransportQueryError) as raised:
        await by_gql(desk, DOCUMENTED)
    [error] = raised.value.errors or []
    assert (error["message"], error["path"]) == ("Sales: HTTP 404: no_service", ["testWebhookConfiguration"])
    extensions = error["extensions"]
    assert extensions["advice"]
    assert extensions | {"advice": ""} == {
        "code": "NOT_DELIVERED",
        "status": 404,
        "outcome": "gone",
        "answer": "no_service",
        "advice": "",
    }


@pytest.mark.parametrize("id_", ["your-webhook-id", "Sales", "sales"])
async def test_a_configuration_is_known_by_its_id_its_name_and_its_sink(desk: Desk, id_: str) -> None:
    text = "query Q($id: ID!) { webhookConfiguration(id: $id) { id name } }"
    assert await data(desk, text, id=id_) == {"webhookConfiguration": {"id": "your-webhook-id", "name": "Sales"}}


@pytest.mark.parametrize(
    ("id_", "code", "said"),
    [
        ("your-webhook", "NOT_FOUND", 'no webhook configuration "your-webhook": did you mean "your-webhook-id"?'),
        ("off", "CONFLICT", 'sink "off" is disabled: nothing is sent to it'),
    ],
)
async def test_what_cannot_be_tested_is_an_error_with_a_code(desk: Desk, id_: str, code: str, said: str) -> None:
    _, answer = await post(desk, "mutation M($id: ID!) { testWebhookConfiguration(id: $id) }", id=id_)
    [error] = answer["errors"]
    assert (answer["data"], error["message"], error["extensions"]["code"]) == (None, said, code)


async def test_a_test_too_soon_says_when_again(desk: Desk, prober: Prober) -> None:
    prober.attempt = TooSoon("sales was sent a test just now: try again in 4 s", after=3.25)
    _, answer = await post(desk, DOCUMENTED)
    assert answer["errors"][0]["extensions"] == {"code": "TOO_SOON", "retryAfter": 3.2}


# What there is to ask for


async def test_configurations_say_what_the_file_says_and_how_the_lane_stands(desk: Desk) -> None:
    about = "id name providerType endpoint active subscribedEvents maxRetries retryDelay"
    fields = f"{about} state pendingCount failedCount"
    found = (await data(desk, f"{{ webhookConfigurations {{ {fields} }} }}"))["webhookConfigurations"]
    by_name = {one["name"]: one for one in found}
    assert by_name["Sales"] == {
        "id": "your-webhook-id",
        "name": "Sales",
        "providerType": "SLACK",
        "endpoint": "https://hooks.slack.com/***",
        "active": True,
        "subscribedEvents": ["USER_CREATED", "user.created"],
        "maxRetries": 5,
        "retryDelay": 60,
        "state": "open",
        "pendingCount": 2,
        "failedCount": 0,
    }
    assert (by_name["team"]["failedCount"], by_name["off"]["active"]) == (2, False)
    assert "secret" not in str(found)


async def test_deliveries_have_status_error_retries_and_the_stored_response(desk: Desk) -> None:
    fields = "id status errorMessage retryCount responseStatus responseData deliveredAt webhook { name }"
    further = "attempts { number outcome durationMs } event { id type data verdicts { row matched } }"
    nodes = f"nodes {{ {fields} {further} }} hasNextPage endCursor"
    text = f'{{ webhookDeliveries(subject: "user:alice") {{ {nodes} }} }}'
    found = (await data(desk, text))["webhookDeliveries"]
    by_sink = {one["webhook"]["name"]: one for one in found["nodes"]}
    ops, team = by_sink["ops"], by_sink["team"]
    assert (ops["status"], ops["errorMessage"], ops["responseData"]) == ("DELIVERED", None, "ok")
    assert (team["status"], team["errorMessage"], team["responseStatus"]) == ("FAILED", "HTTP 400", 400)
    assert (team["responseData"], team["retryCount"]) == ('{"message": "no"}', 0)
    assert team["attempts"] == [{"number": 1, "outcome": "refused", "durationMs": 187}]
    assert team["event"]["id"] == ALICE.id
    assert team["event"]["verdicts"][1] == {"row": "route 2", "matched": True}
    assert (found["hasNextPage"], found["endCursor"]) == (False, found["nodes"][-1]["id"])


@pytest.mark.parametrize(
    ("status", "expected"),
    [("DELIVERED", 1), ("FAILED", 2), ("HELD_BACK", 1), ("PENDING", 4), ("RETRYING", 0)],
)
async def test_deliveries_are_found_by_their_status_and_every_state_has_one(
    desk: Desk, status: str, expected: int
) -> None:
    text = "query Q($s: DeliveryStatus) { webhookDeliveries(status: $s) { nodes { id status } } }"
    nodes = (await data(desk, text, s=status))["webhookDeliveries"]["nodes"]
    assert {one["status"] for one in nodes} <= {status}
    assert len(nodes) == expected
    assert {State.PENDING, State.WAITING, State.DELIVERED, State.DEAD, State.HELD_BACK} == set(State)


@pytest.mark.parametrize("walked", [10_000, 3])
async def test_walking_by_end_cursor_meets_every_delivery_once(
    desk: Desk, walked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "WALKED", walked)
    text = "query Q($a: String) { webhookDeliveries(first: 2, after: $a) { nodes { id } endCursor hasNextPage } }"
    met: list[str] = []
    after = None
    while True:
        page = (await data(desk, text, a=after))["webhookDeliveries"]
        met += [one["id"] for one in page["nodes"]]
        after = page["endCursor"]
        if not page["hasNextPage"]:
            break
    monkeypatch.undo()
    everything = (await data(desk, "{ webhookDeliveries(first: 100) { nodes { id } } }"))["webhookDeliveries"]
    assert met == [one["id"] for one in everything["nodes"]]
    assert len(met) == len(set(met)) == 8


async def test_a_delivery_is_sent_again_and_the_new_one_answered(desk: Desk) -> None:
    failed = (await data(desk, "{ webhookDeliveries(status: FAILED) { nodes { id } } }"))["webhookDeliveries"]["nodes"]
    text = "mutation M($id: ID!) { retryWebhookDelivery(id: $id) { id status webhook { name } event { id } } }"
    new = (await data(desk, text, id=failed[-1]["id"]))["retryWebhookDelivery"]
    assert (new["status"], new["webhook"]["name"]) == ("PENDING", "team")
    assert new["event"]["id"] in (ALICE.id, BOB.id, ODD.id)
    _, answer = await post(desk, text, id=failed[-1]["id"])
    assert answer["errors"][0]["extensions"]["code"] == "CONFLICT"
    once_more = await data(desk, text.replace("(id: $id)", "(id: $id, again: true)"), id=failed[-1]["id"])
    assert once_more["retryWebhookDelivery"]["id"] != new["id"]
    _, answer = await post(desk, text, id="x")
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_of_two_who_send_a_delivery_again_at_once_one_does(desk: Desk) -> None:
    text = 'mutation { retryWebhookDelivery(id: "2") { id } }'
    async with held_up(desk.outbox, writes=2):
        asked = [asyncio.create_task(post(desk, text)) for _ in range(2)]
    assert sorted("errors" in answer for _, answer in await asyncio.gather(*asked)) == [False, True]


async def test_a_hundred_deliveries_cost_as_many_looks_as_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from bridge.admin.reader_pool import ReaderPool

    looks: list[object] = []
    run = ReaderPool.run
    monkeypatch.setattr(ReaderPool, "run", lambda self, look: (looks.append(look), run(self, look))[1])
    fields = "responseData attempts { number } webhook { name deliveries(first: 1) { nodes { id } } } event { id data }"
    counts = []
    for first in (1, 8):
        looks.clear()
        await data(desk, f"{{ webhookDeliveries(first: {first}) {{ nodes {{ {fields} }} }} }}")
        counts.append(len(looks) - len({"ops", "team", "sales"}) * (first > 1))
    assert counts[1] <= counts[0]


# Whom it is for


async def test_a_stranger_is_told_nothing_and_has_nothing_built(desk: Desk) -> None:
    async with aiohttp.ClientSession(desk.url) as stranger:
        for text in (get_introspection_query(), DOCUMENTED, "{ webhookConfigurations { id } }"):
            async with stranger.post("/graphql", json={"query": text}) as response:
                assert (response.status, response.content_type) == (401, "application/problem+json")
        async with stranger.get("/graphql/schema", allow_redirects=False) as response:
            assert response.status == 401
    assert desk.admin._opened == {}


async def test_who_may_look_looks_and_neither_acts_nor_sees_what_there_is_to_do(desk: Desk, prober: Prober) -> None:
    status, answer = await post(desk, DOCUMENTED, token=LOOK)
    assert (status, answer["errors"][0]["extensions"]["code"], prober.sent) == (403, "FORBIDDEN", [])
    status, answer = await post(desk, get_introspection_query(), token=LOOK)
    assert status == 400
    assert "introspection" in str(answer["errors"]).lower()
    assert (await post(desk, "{ webhookConfigurations { id } }", token=LOOK))[0] == 200
    assert (await post(desk, get_introspection_query(), token=ACT))[0] == 200


async def test_a_browser_needs_a_form_of_ours(desk: Desk, prober: Prober) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        token = await form_token(browser)
        for headers, status in (({}, 403), ({"X-CSRF-Token": token}, 200)):
            async with browser.post("/graphql", json={"query": DOCUMENTED}, headers=headers) as response:
                assert response.status == status
    assert len(prober.sent) == 1


@pytest.mark.process
def test_a_bridge_that_nobody_asks_imports_neither_it_nor_the_library() -> None:
    code = "import sys, bridge.app; print([one for one in sys.modules if 'graphql' in one])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# How much one may ask for

TWICE = 'a: testWebhookConfiguration(id: "ops") b: testWebhookConfiguration(id: "team")'
CYCLE = "fragment A on WebhookConfiguration { ...B } fragment B on WebhookConfiguration { ...A }"
NODES = "webhookDeliveries { nodes { webhook { deliveries { nodes { webhook { deliveries { nodes { id } } } } } } } }"
ALIASED = " ".join(f"a{n}: id" for n in range(21))
LAUGHS = " ".join(f"fragment F{n} on WebhookConfiguration {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{{ {NODES} }}", "is deeper than 6 fields"),
        ("{" * 500 + "}" * 500, None),
        ("{ a(x: " + "[" * 400 + "]" * 400 + ") }", None),
        ("{ webhookConfigurations { " + ALIASED + " } }", "has 21 aliases: at most 20"),
        (
            "{ " + " ".join(f"a{n}: webhookConfigurations {{ id }}" for n in range(11)) + " }",
            "asks for 11 things at the top: at most 10",
        ),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(700)) + " }", None),
        ("{ webhookConfigurations { id } }" + " # x\n" * 200, None),
        ("{ webhookDeliveries(first: 101) { endCursor } }", "first should be from 1 to 100"),
        ("{ webhookDeliveries(first: 0) { endCursor } }", "first should be from 1 to 100"),
        (f"{{ webhookDeliveries(first: {'9' * 5000}) {{ endCursor }} }}", "first should be from 1 to 100"),
        (
            "{ webhookDeliveries(first: 100) { nodes { webhook { deliveries(first: 11) { endCursor } } } } }",
            "asks for 1100 deliveries: at most 1000",
        ),
        (
            "query A { webhookConfigurations { id } } query B { webhookConfigurations { id } }",
            "one operation a request, not 2",
        ),
        ("fragment A on Query { webhookConfigurations { id } }", "one operation a request, not 0"),
        (
            f"mutation {{ {TWICE} }}",
            "a mutation does one thing, whatever the variables are",
        ),
        (
            f"mutation {{ ...M }} fragment M on Mutation {{ {TWICE} }}",
            "a mutation does one thing, whatever the variables are",
        ),
        (
            'mutation { testWebhookConfiguration(id: "ops") @include(if: true) }',
            "a mutation does one thing, whatever the variables are",
        ),
        (
            "{ webhookConfigurations { ...A } } " + CYCLE,
            None,
        ),
        ("{ webhookConfigurations { ...F0 } } " + LAUGHS + " fragment F40 on WebhookConfiguration { id }", None),
        ("{ ...T0 } " + LAUGHS.replace("F", "T").replace("WebhookConfiguration", "Query"), None),
        ("{ webhookConfigurations }", None),
        ("{ nothing }", None),
        ("{", None),
        ("", None),
    ],
)
async def test_whatever_asks_for_too_much_is_refused_before_any_of_it_is_looked_up(
    desk: Desk, prober: Prober, text: str, said: str | None
) -> None:
    status, answer = await post(desk, text)
    if said is None and status == 200:
        assert "data" in answer  # many spreads of one fragment ask for no more than one
        assert text.count("...F") == 81
        return
    assert (status, "data" in answer, prober.sent) == (400, False, [])
    assert said in (None, answer["errors"][0]["message"])


async def test_a_variable_counts_as_what_it_is(desk: Desk) -> None:
    nodes = "nodes { webhook { deliveries(first: 20) { endCursor } } }"
    text = f"query Q($n: Int) {{ webhookDeliveries(first: $n) {{ {nodes} }} }}"
    assert [(await post(desk, text, n=n))[0] for n in (50, 51, 101)] == [200, 400, 400]
    assert (await post(desk, text))[0] == 400  # what it has not cannot be known to be little


@pytest.mark.parametrize(
    ("method", "content_type", "body", "status"),
    [
        ("POST", "application/json", b'[{"query": "{ __typename }"}]', 400),
        ("POST", "application/json", b"{}", 400),
        ("POST", "application/json", b'{"query": 1}', 400),
        ("POST", "application/json", b'{"query": "{ __typename }", "variables": []}', 400),
        ("POST", "application/json", b'{"query": "' + b" " * BODY + b'"}', 413),
        ("POST", "text/plain", b'{"query": "{ __typename }"}', 415),
        ("POST", "application/graphql", b"{ __typename }", 415),
        ("POST", "application/x-www-form-urlencoded", b"query=%7B__typename%7D", 415),
        ("GET", "application/json", b"", 405),
        ("POST", "application/json", b'{"query": "{ __typename }"}', 200),
    ],
)
async def test_one_request_is_one_json_object_of_sixteen_kilobytes(
    desk: Desk, method: str, content_type: str, body: bytes, status: int
) -> None:
    async with (
        desk.program(ACT) as program,
        program.request(method, "/graphql", data=body, headers={"Content-Type": content_type}) as response,
    ):
        assert response.status == status
        assert response.headers["Cache-Control"] == "no-store"


async def test_looking_ends_after_two_seconds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.admin.graphql.context.LIMIT", -1.0)
    _, answer = await post(desk, "{ webhookDeliveries { nodes { id } } }")
    assert (answer["data"], answer["errors"][0]["extensions"]) == (None, {"code": "TIMEOUT"})


async def test_no_more_wait_for_their_turn_than_have_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.admin.graphql.api.WAITING", 0)
    async with desk.program(ACT) as program, program.post("/graphql", json={"query": "{ __typename }"}) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")


async def test_a_fault_of_ours_is_told_without_its_words(
    desk: Desk, prober: Prober, caplog: pytest.LogCaptureFixture
) -> None:
    prober.attempt = ValueError("s3cret")
    _, answer = await post(desk, DOCUMENTED)
    [error] = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("this is a fault of the bridge's own", "INTERNAL")
    assert [one.msg for one in caplog.records if one.levelname == "ERROR"] == ["admin.bug"]


# The schema


async def test_the_schema_is_to_be_had_as_text_and_names_every_service(desk: Desk) -> None:
    async with desk.program(LOOK) as program, program.get("/graphql/schema") as response:
        assert await response.text() == sdl()
    services = {config.model_fields["type"].default.upper() for config in CONFIGS}
    assert set(schema().type_map["ProviderType"].values) == services  # type: ignore[attr-defined]


SETTINGS = [
    *({"type": name, **one.example} for name, one in EVERY.items()),
    *(settings for settings, _, _ in WAYS.values()),
    *({"type": config.model_fields["type"].default, **one[0]} for config, one in ADDRESSED.items()),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: str(one.get("type")))
def test_an_endpoint_names_the_host_and_nothing_behind_it(settings: Mapping[str, Any]) -> None:
    by_type = {config.model_fields["type"].default: config for config in CONFIGS}
    shown = endpoint_of(by_type[settings["type"]].model_validate(settings))
    assert shown.endswith("***")
    assert SECRET not in shown
    assert shown.count("/") in (0, 3)
