"""GoHighLevel: a flat payload for a trigger, or an upsert and its tags; and what the answers mean."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.message import Circumstances
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.gohighlevel.contact import custom_fields
from bridge.sinks.gohighlevel.fields import field_values, location_fields
from bridge.sinks.http import Http, Response
from tests.services.gohighlevel import INBOUND, LOCATION, TOKEN, TRIGGER, GoHighLevel
from tests.services.service import CONTRACTS, Answer, breaches, contract, serving
from tests.sinks.values import a_message, a_sink, between, config, hostile_texts, json_values

URL = f"https://services.leadconnectorhq.com{TRIGGER}"
JOHN = {
    "user": {
        "id": 63396,
        "username": "user@example.com",
        "email": "user@example.com",
        "first_name": "John",
        "last_name": "Doe",
        "country": "us",
        "phone": "+1234567890",
        "active": True,
    },
    "subscription": {"plan": "3 Month", "expires_at": "2025-02-01T15:27:22.887568Z", "multi_login_count": 5},
}
EXAMPLE = json.loads((CONTRACTS / "orbvpn.gohighlevel-webhook.schema.json").read_text())["examples"][0]
NO_FIELDS = Answer(200, {"customFields": []})
API: dict[str, Any] = {"type": "gohighlevel", "api_key": TOKEN, "location_id": LOCATION}


def flat(data: Any, type_: str = "user.created", **settings: Any) -> dict[str, Any]:
    sink = a_sink(type="gohighlevel", url=URL, **settings)
    said: dict[str, Any] = json.loads(sink.build(a_message(type_=type_, data=data)).body)
    return said


def upsert(data: Any, blocks: Any = None, **settings: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(a_sink(**API, **settings).build(a_message(blocks, data=data)).body)
    return said


def test_the_documented_example_comes_out_as_the_document_has_it() -> None:
    said = flat(JOHN, source_name="OrbVPN")
    assert said["contact"] == EXAMPLE["contact"]
    assert said["tags"] == EXAMPLE["tags"]
    fields = EXAMPLE["customFields"] | {"subscription_expiresAt": "2025-02-01T15:27:22.887568Z"}
    assert said["customFields"].items() >= fields.items()
    assert said["locationId"] == LOCATION


def test_all_else_that_is_known_is_flattened_into_texts() -> None:
    said = flat(
        JOHN | {"payment": {"amount": 29.99, "status": "FAILED"}, "owner": "reseller-7", "node": {"tags": ["a", "b"]}}
    )
    assert (
        said["customFields"].items()
        >= {
            "payment_amount": "29.99",
            "payment_status": "FAILED",
            "owner": "reseller-7",
            "node_tags": "a, b",
            "subscription_multiLoginCount": "5",
            "user_active": "true",
            "event_type": "USER_CREATED",
            "event_occurredAt": "2026-11-21T04:14:18Z",
        }.items()
    )
    assert "user_email" not in said["customFields"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"user": {"id": 7, "username": "alice"}}, "7"),
        ({"user": {"username": "alice"}}, "alice"),
        ({"node": {"name": "fra-1"}}, "user:alice"),
    ],
)
def test_user_id_is_the_best_name_that_is_known(data: Any, expected: str) -> None:
    assert flat(data)["customFields"]["user_id"] == expected


def test_a_user_is_known_by_the_status_of_the_panel_where_no_subscription_has_one() -> None:
    assert flat({"user": {"status": "on_hold"}})["customFields"]["subscription_status"] == "ON_HOLD"
    assert flat({"user": {"active": False}})["customFields"]["subscription_status"] == "INACTIVE"


def test_tags_name_the_source_and_the_event_once_each() -> None:
    assert flat(JOHN)["tags"] == ["Panelbridge User", "New User"]
    assert flat(JOHN, "subscription.trial_ended")["tags"][1] == "Subscription Trial Ended"
    assert flat(JOHN, "security.2fa_enabled")["tags"][1] == "Security 2FA Enabled"
    assert flat(JOHN, tags=["vip", "New User"])["tags"] == ["Panelbridge User", "New User", "vip"]


def test_the_location_is_the_operators_or_stands_in_the_triggers_address() -> None:
    assert flat(JOHN, location_id="mine")["locationId"] == "mine"
    other = a_sink(type="gohighlevel", url="https://crm.example/in")
    assert json.loads(other.build(a_message(data=JOHN)).body)["locationId"] == "panelbridge"


@pytest.mark.parametrize("url", [URL, "https://crm.example/in"])
def test_whoever_takes_the_documented_body_is_told_the_key_where_there_is_one(url: str) -> None:
    request = a_sink(type="gohighlevel", url=url, api_key=TOKEN).build(a_message(data=JOHN))
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "Version" not in request.headers  # the API's own
    assert "Authorization" not in a_sink(type="gohighlevel", url=url).build(a_message(data=JOHN)).headers


async def test_an_endpoint_of_somebody_elses_gets_the_documented_body_and_answers_as_http_has_it(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, type="gohighlevel", url=base + INBOUND, api_key=TOKEN, location_id="loc")
        attempt = await sink.send(a_message(data=JOHN))
        service.answer_next(Answer(200, "ok"), Answer(200, {"success": True}), Answer(410))
        others = [(await sink.send(a_message(data=JOHN))).outcome for _ in range(3)]
    assert attempt.outcome == Delivered()
    assert attempt.requests == 1
    assert service.taken[0].body["contact"] == EXAMPLE["contact"]
    assert (service.refused, service.asked) == ([], 0)
    assert others == [Delivered(), Delivered(), Gone("HTTP 410")]


def test_an_upsert_says_only_what_is_known_and_never_the_tags() -> None:
    assert upsert(JOHN) == {
        "firstName": "John",
        "lastName": "Doe",
        "email": "user@example.com",
        "phone": "+1234567890",
        "country": "US",
        "locationId": LOCATION,
        "source": "Panelbridge",
    }
    assert upsert({"user": {"username": "alice", "phone": "+1 888-888-8888"}}) == {
        "name": "alice",
        "phone": "+18888888888",
        "locationId": LOCATION,
        "source": "Panelbridge",
    }


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("+1 888-888-8888", "+18888888888"),
        ("tel:+98 (912) 123.4567", "+989121234567"),
        ("00989121234567", "+989121234567"),
        ("+49 (0)30 901820", "+4930901820"),
        ("\u200e+98\u00a0912 123 4567\u200e", "+989121234567"),
        ("۰۹۱۲۱۲۳۴۵۶۷", "09121234567"),
        (491701234567, "491701234567"),
        ("+0912 123 4567", None),
        ("+1", None),
        ("n/a 2", None),
        ("09121234567; 09351234567", None),
        (True, None),
    ],
)
def test_a_phone_number_is_told_in_digits_or_not_at_all(phone: Any, said: str | None) -> None:
    assert upsert({"user": {"email": "a@example.com", "phone": phone}}).get("phone") == said


@pytest.mark.parametrize(
    ("email", "takes"),
    [
        ("first.last+vpn@mail.example.co", True),
        ("a@xn--80ak6aa92e.xn--p1ai", True),
        ("a..b@example.com", False),
        (".a@example.com", False),
        ("bob@10.0.0.1", False),
        ("bob@node.1", False),
        ("a@-b.example.com", False),
        ("a" * 65 + "@example.com", False),
        ("a@b.c", False),
    ],
)
def test_what_highlevel_takes_for_no_email_is_not_said(email: str, takes: bool) -> None:
    said = upsert({"user": {"username": email, "phone": "+18888888888"}})
    assert said.get("email") == (email if takes else None)


@pytest.mark.parametrize(("country", "said"), [("de", "DE"), ("XK", "XK"), ("UK", None), ("XX", None), ("Iran", None)])
def test_a_country_that_highlevel_does_not_list_is_not_said(country: str, said: str | None) -> None:
    assert upsert({"user": {"email": "a@example.com", "country": country}}).get("country") == said


def test_custom_fields_are_templates_by_the_fields_id() -> None:
    fields = {"abc123": "{{ data.user.id }}", "def456": "{{ data.owner }}"}
    assert a_sink(**API, custom_fields=fields).look == ServiceLook(
        inline=(("custom_field_0", "{{ data.user.id }}"), ("custom_field_1", "{{ data.owner }}"))
    )
    said = upsert(JOHN, {"custom_field_0": "63396", "custom_field_1": " "}, custom_fields=fields)
    assert said["customFields"] == [{"id": "abc123", "field_value": "63396"}]


async def test_an_upsert_is_followed_by_its_tags_which_leave_those_there(http: Http) -> None:
    service = GoHighLevel()
    service.contacts["contact-user-at-example.com"] = {"id": "contact-user-at-example.com", "tags": ["kept"]}
    async with serving(service) as base:
        attempt = await a_sink(http, **API, api_base=base, tags=["vip"]).send(a_message(data=JOHN))
    assert attempt.outcome == Delivered(ref="contact-user-at-example.com")
    assert attempt.requests == 3
    assert service.contacts["contact-user-at-example.com"]["tags"] == ["kept", "Panelbridge User", "New User", "vip"]
    assert [one.headers["version"] for one in service.taken] == ["2021-07-28"] * 2


async def test_tags_that_were_not_added_make_the_whole_be_tried_again(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        service.answer_next(NO_FIELDS, Answer(200, {"contact": {"id": "c/1"}}), Answer(502, "bad gateway"))
        attempt = await sink.send(a_message(data=JOHN))
    assert attempt.outcome == Away("HTTP 502")


async def test_a_contact_that_is_not_yet_there_for_its_tags_is_made_and_tagged_again(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        service.answer_next(NO_FIELDS, Answer(200, {"contact": {"id": "c1"}}))
        attempts = [await sink.send(a_message(data=JOHN)) for _ in range(2)]
    assert [one.outcome for one in attempts] == [
        Away("HTTP 400: Contact not found for id: c1"),
        Delivered(ref="contact-user-at-example.com"),
    ]


async def test_without_email_and_phone_there_is_no_contact_and_no_request(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        attempts = [
            await sink.send(a_message(data=data)) for data in ({}, {"user": {"username": "alice", "email": "x"}})
        ]
    assert {one.outcome for one in attempts} == {
        Refused("no e-mail address and no phone number, so there is no contact")
    }
    assert service.requests == 0


async def test_an_upsert_that_names_no_contact_is_tried_again(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        service.answer_next(NO_FIELDS, Answer(200, {"ok": 1}))
        attempt = await a_sink(http, **API, api_base=base).send(a_message(data=JOHN))
    assert attempt.outcome == Away("HTTP 200 without a contact")


# The location's custom fields

DOCUMENTED_FIELDS = [
    {"id": "f-user", "field_value": "63396"},
    {"id": "f-group", "field_value": "3 Month"},
    {"id": "f-status", "field_value": "ACTIVE"},
    {"id": "f-expires", "field_value": "2025-02-01"},
]
SCOPELESS = "no custom fields: HTTP 401: The token is not authorized for this scope."


def upserts(service: GoHighLevel) -> list[Any]:
    """The custom fields of each contact that was taken."""
    return [one.body.get("customFields") for one in service.taken if one.path == "/contacts/upsert"]


async def sends(sink: Any, times: int) -> list[Outcome]:
    return [(await sink.send(a_message(data=JOHN))).outcome for _ in range(times)]


MADE = Delivered(ref="contact-user-at-example.com")


async def test_custom_fields_go_by_the_locations_keys_which_is_asked_once(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        assert await sends(a_sink(http, **API, api_base=base), 3) == [MADE] * 3
    assert upserts(service) == [DOCUMENTED_FIELDS] * 3
    assert (service.asked, service.requests, service.refused) == (1, 7, [])


async def test_it_is_asked_once_by_however_many_at_once(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base, concurrency=8)
        await asyncio.gather(*(sink.send(a_message(data=JOHN)) for _ in range(8)))
    assert upserts(service) == [DOCUMENTED_FIELDS] * 8
    assert service.asked == 1


async def test_without_the_scope_the_contact_goes_without_them_and_it_is_told_once(http: Http) -> None:
    service = GoHighLevel()
    service.scopes = False
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        assert await sends(sink, 2) == [Delivered(ref=MADE.ref, note=SCOPELESS), MADE]
    assert upserts(service) == [None] * 2
    assert service.asked == 1


async def test_after_a_422_it_is_asked_again_and_the_contact_is_tried_with_what_there_is_now(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        await sends(sink, 1)
        del service.fields["f-user"]
        service.fields["f-id"] = ("userid", "NUMERICAL")
        assert await sends(sink, 2) == [MADE] * 2
    now = [*DOCUMENTED_FIELDS[1:], {"id": "f-id", "field_value": 63396}]
    assert [sorted(one, key=str) for one in upserts(service)[1:]] == [sorted(now, key=str)] * 2
    assert service.asked == 2


async def test_where_the_fields_are_what_is_refused_the_contact_goes_without_them(http: Http) -> None:
    service = GoHighLevel()
    refusal = Answer(422, {"statusCode": 422, "message": ["value is not an option"]})
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        await sends(sink, 1)
        service.answer_next(refusal)
        told = Delivered(ref=MADE.ref, note="no custom fields: HTTP 422: value is not an option")
        assert await sends(sink, 2) == [told, MADE]
    assert upserts(service) == [DOCUMENTED_FIELDS, None, DOCUMENTED_FIELDS]


async def test_a_422_about_anything_else_stays_one(http: Http) -> None:
    service = GoHighLevel()
    refusal = Answer(422, {"statusCode": 422, "message": ["email must be an email"]})
    async with serving(service) as base:
        service.answer_next(NO_FIELDS, refusal, NO_FIELDS)
        attempt = await a_sink(http, **API, api_base=base).send(a_message(data=JOHN))
        assert attempt.outcome == Refused("HTTP 422: email must be an email")
        assert attempt.requests == 3
        service.answer_next(NO_FIELDS, refusal, NO_FIELDS, Answer(502))
        sink = a_sink(http, **API, api_base=base, custom_fields={"mine": "x"})
        own = a_message({"custom_field_0": "v"}, data=JOHN)
        assert (await sink.send(own)).outcome == Refused("HTTP 422: email must be an email")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(503, "", {"Retry-After": "7"}), Away("HTTP 503", 7.0)),
        (Answer(429, "", {"Retry-After": "7"}), Limited(7.0)),
        (Answer(408), Away("HTTP 408")),
    ],
)
async def test_a_location_that_cannot_answer_now_is_waited_for(http: Http, answer: Answer, outcome: Outcome) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        service.answer_next(answer)
        assert await sends(sink, 2) == [outcome, MADE]
    assert upserts(service) == [DOCUMENTED_FIELDS]


@pytest.mark.parametrize(
    "answer", [Answer(403, "<html>"), Answer(404, {"message": "no"}), Answer(200, "<html>"), Answer(302)]
)
async def test_what_something_in_between_says_of_the_fields_holds_for_one_contact(http: Http, answer: Answer) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base)
        service.answer_next(answer)
        first, second = await sends(sink, 2)
    assert isinstance(first, Delivered)
    assert (first.note or "").startswith("no custom fields: HTTP ")
    assert second == MADE
    assert upserts(service) == [None, DOCUMENTED_FIELDS]


async def test_a_field_that_the_operator_fills_is_the_operators(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, **API, api_base=base, custom_fields={"f-user": "x", "f-status": "y"})
        await sink.send(a_message({"custom_field_0": "mine", "custom_field_1": ""}, data=JOHN))
    assert upserts(service) == [[{"id": "f-user", "field_value": "mine"}, DOCUMENTED_FIELDS[1], DOCUMENTED_FIELDS[3]]]


@pytest.mark.parametrize(
    ("key", "kind", "value"),
    [
        ("contact.user_id", "TEXT", "63396"),
        ("{{ contact.user_id }}", "LARGE_TEXT", "63396"),
        ("contact.User-ID", "TEXT", None),
        ("contact.userid", "NUMERICAL", 63396),
        ("contact.payment_amount", "MONETORY", 29.99),
        ("contact.subscription_group", "NUMERICAL", None),
        ("contact.subscription_group", "CHECKBOX", ["3 Month"]),
        ("contact.subscription_group", "FILE_UPLOAD", None),
        ("contact.subscription_group", None, "3 Month"),
        ("contact.subscription_expires_at", "DATE", "2025-02-01"),
        ("contact.subscription_expiresat", "TEXT", "2025-02-01T15:27:22.887568Z"),
        ("contact.user_id", "DATE", None),
        ("opportunity.user_id", "TEXT", None),
        ("contact.first_name", "TEXT", None),
        ("", "TEXT", None),
        (None, "TEXT", None),
        ([], {}, None),
    ],
)
def test_a_field_takes_what_is_called_like_it_and_is_of_its_kind(key: Any, kind: Any, value: Any) -> None:
    fields = location_fields({"customFields": [None, 7, {}, {"id": "f", "fieldKey": key, "dataType": kind}]})
    known = a_message(data=JOHN | {"payment": {"amount": 29.99}}).event
    found = list(field_values(fields, custom_fields(known)))
    assert found == ([] if value is None else [{"id": "f", "field_value": value}])


async def test_a_trigger_is_judged_by_the_id_in_its_answer(http: Http) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        sink = a_sink(http, type="gohighlevel", url=base + TRIGGER)
        live = await sink.send(a_message(data=JOHN))
        service.published = False
        dead = await sink.send(a_message(data=JOHN))
    assert live.outcome == Delivered(ref="trigger-1")
    assert dead.outcome == Gone("the trigger is not published: the answer has no id")


#: What stands in the head of an answer on the day whose 200,000 are spent.
SPENT = {
    "x-ratelimit-remaining": "99",
    "x-ratelimit-interval-milliseconds": "10000",
    "x-ratelimit-daily-remaining": "0",
    "x-ratelimit-daily-reset": "49013000",
}


def error(status: int, message: Any) -> Response:
    return Response(status, {}, json.dumps({"statusCode": status, "message": message}).encode())


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(200, body=b'{"contact":{"id":"c1"}}'), Delivered(ref="c1")),
        (Response(201, body=b'{"tags":["a"]}'), Delivered()),
        (error(400, "Pass at least one"), Refused("HTTP 400: Pass at least one")),
        (error(422, ["property x", "property y"]), Refused("HTTP 422: property x: property y")),
        (error(401, "Invalid token"), Gone("HTTP 401: Invalid token")),
        (error(401, "version header is invalid"), Gone("HTTP 401: version header is invalid")),
        (error(403, "no access"), Gone("HTTP 403: no access")),
        (error(404, "Cannot POST /contacts/upsert"), Gone("HTTP 404: Cannot POST /contacts/upsert")),
        (error(404, "Contact with id c1 not found"), Away("HTTP 404: Contact with id c1 not found")),
        (error(400, "Contact not found for id:c1"), Away("HTTP 400: Contact not found for id:c1")),
        (Response(403, body=b'{"message":"Forbidden"}'), between(403, "JSON of another shape")),
        (Response(403, body=b'{"statusCode":404,"message":"x"}'), between(403, "JSON of another shape")),
        (Response(404, body=b"<html>"), between(404, "a web page")),
        (Response(200, body=b"<html>"), between(200, "a web page")),
        (Response(429, {"x-ratelimit-interval-milliseconds": "8000"}), Limited(8.0)),
        (Response(429, SPENT), Limited(49013.0)),
        (Response(429, {name: one for name, one in SPENT.items() if "reset" not in name}), Limited()),
        (Response(429, {**SPENT, "x-ratelimit-daily-remaining": "199999"}), Limited(10.0)),
        (Response(429, {**SPENT, "retry-after": "60"}), Limited(60.0)),
        (Response(429), Limited()),
        (Response(429, {"retry-after": "0"}), Limited()),
        (Response(429, {"retry-after": "3"}), Limited(3.0)),
        (Response(500, body=b"<html>"), Away("HTTP 500")),
    ],
)
def test_classify(response: Response, expected: Outcome) -> None:
    assert a_sink(**API).classify(response) == expected


def test_the_last_request_of_a_window_is_followed_by_a_pause() -> None:
    sink = a_sink(**API)
    assert (
        sink.pause(Response(200, {"x-ratelimit-remaining": "0", "x-ratelimit-interval-milliseconds": "10000"})) == 10.0
    )
    assert sink.pause(Response(200, {"x-ratelimit-remaining": "0"})) == 10.0
    assert sink.pause(Response(200, {"x-ratelimit-remaining": "5"})) == 0.0


def test_a_location_bears_a_hundred_in_ten_seconds_by_whichever_way() -> None:
    own, location = a_sink(**API).limits
    assert (own, location.rate) == (Limit("", Rate(10, 1.0)), Rate(100, 10.0))
    assert a_sink(type="gohighlevel", url=URL).limits == (own, location)
    elsewhere = [a_sink(type="gohighlevel", url=f"https://crm.example/{name}").limits[1].scope for name in "ab"]
    assert len({location.scope, *elsewhere}) == 3


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "give either url, or api_key and location_id"),
        ({"api_key": TOKEN}, "give either url, or api_key and location_id"),
        ({"url": "crm.example"}, "should be an address"),
        ({"url": URL, "custom_fields": {"a": "b"}}, "custom_fields go with the API"),
        ({"url": URL, "tags": [""]}, "at least 1 character"),
        (
            {"url": "https://services.leadconnectorhq.com/contacts/upsert", "api_key": TOKEN},
            "give api_key and location_id in its place",
        ),
    ],
)
def test_a_wrong_setting_says_what_to_do(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        config(type="gohighlevel", **settings)


users = st.fixed_dictionaries(
    {},
    optional={
        name: hostile_texts | json_values | st.emails()
        for name in ("id", "username", "email", "first_name", "last_name", "phone", "country", "status", "active")
    },
)
facts = st.fixed_dictionaries(
    {},
    optional={
        "user": users | json_values,
        "subscription": st.dictionaries(st.sampled_from(["plan", "status", "expires_at"]), json_values) | json_values,
        "details": json_values,
        "owner": json_values,
        "event": json_values,
        "نام": json_values,
        "2fa": json_values,
    },
)


@given(
    data=facts | st.dictionaries(st.text(), json_values), type_=st.sampled_from(["user.created", "json.ünknown.x", "x"])
)
def test_no_event_makes_a_payload_that_breaks_the_documented_format(data: Any, type_: str) -> None:
    assert breaches(contract("orbvpn.gohighlevel-webhook"), flat(data, type_)) == []


@given(user=users, value=hostile_texts)
def test_no_event_makes_an_upsert_that_is_refused(user: Any, value: str) -> None:
    said = upsert({"user": user}, {"custom_field_0": value}, custom_fields={"abc": "x"})
    if "email" in said or "phone" in said:
        assert breaches(contract("gohighlevel.contacts-upsert"), said) == []


def test_a_contact_that_is_made_by_a_test_has_a_tag_that_says_so() -> None:
    sink = a_sink(**API)
    for circumstances, tags in ((Circumstances(), []), (Circumstances(test=True), ["Test"])):
        request = sink.build_tags(a_message(circumstances=circumstances), "contact-1")
        assert json.loads(request.body)["tags"][2:] == tags
