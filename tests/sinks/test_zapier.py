"""Zapier: the documented format, all else in snake_case beside it, and what the answers mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.http import Http, Response
from bridge.vocabulary import DOCUMENTED, TYPES
from tests.services.service import breaches, contract, serving
from tests.services.zapier import HOOK, Zapier
from tests.sinks.values import a_digest, a_message, a_sink, between, config, hostile_texts, json_values

URL = f"https://hooks.zapier.com{HOOK}"
JOHN = {
    "user": {
        "id": "63396",
        "username": "user@example.com",
        "email": "user@example.com",
        "first_name": "John",
        "last_name": "Doe",
        "country": "US",
        "phone": "+1234567890",
    },
    "subscription": {
        "plan": "3 Month",
        "duration_days": 90,
        "multi_login_count": 5,
        "expires_at": "2025-02-01T15:27:22.887568Z",
    },
}


def sent(data: Any, type_: str = "user.created", subject: str | None = "user:alice", **settings: Any) -> dict[str, Any]:
    message = a_message(type_=type_, data=data, subject=subject)
    said: dict[str, Any] = json.loads(a_sink(type="zapier", url=URL, **settings).build(message).body)
    return said


def test_the_documented_example_comes_out_as_the_document_has_it() -> None:
    said = sent(JOHN)
    ours = {key: said.pop(key) for key in ("event_id", "event", "source")}
    assert said == {
        "event_type": "USER_CREATED",
        "occurred_at": "2026-11-21T04:14:18Z",
        "user_id": 63396,
        "email": "user@example.com",
        "username": "user@example.com",
        "profile": {"first_name": "John", "last_name": "Doe", "country": "US", "phone": "+1234567890"},
        "subscription": {
            "group_name": "3 Month",
            "duration_days": "90",
            "multi_login_count": 5,
            "expires_at": "2025-02-01T15:27:22.887568Z",
        },
    }
    assert (ours["event"], ours["source"], len(ours["event_id"])) == ("user.created", "marzban", 36)


def test_all_else_that_is_known_follows_in_snake_case() -> None:
    said = sent(
        {
            "user": {"id": "not-a-number", "username": "alice", "used_bytes": 5, "status": "active"},
            "subscription": {"plan_id": 3, "auto_renew": False, "trial": True},
            "admin": {"name": "root", "details": {"Data Limit": "5 GB", "userAgent": "x", "نام": "y", "2fa": None}},
            "payment": {"amount": 29.99},
            "owner": "reseller-7",
            "email": "mine",
        }
    )
    assert "user_id" not in said
    assert said["user"] == {"used_bytes": 5, "status": "active"}
    assert said["subscription"] == {"group_id": 3, "auto_renew": False, "is_trial_period": True}
    assert said["admin"] == {"name": "root", "details": {"data_limit": "5 GB", "user_agent": "x", "field": "y"}}
    assert (said["payment"], said["owner"], said["data_email"]) == ({"amount": 29.99}, "reseller-7", "mine")


DOCUMENTED_KEYS = ["event_type", "occurred_at", "user_id", "email", "username", "profile", "subscription"]


def test_source_and_version_stand_behind_the_documented_keys_and_before_ours() -> None:
    said = sent(JOHN | {"version": "9", "owner": "r"}, source_name="OrbVPN", version=2)
    assert list(said)[:12] == [*DOCUMENTED_KEYS, "source", "version", "event_id", "event", "event_source"]
    assert (said["source"], said["version"], said["event_source"]) == ("OrbVPN", "2", "marzban")
    assert (said["data_version"], said["owner"]) == ("9", "r")


def test_without_these_settings_the_source_is_ours_and_there_is_no_version() -> None:
    said = sent(JOHN)
    assert list(said)[: len(DOCUMENTED_KEYS) + 1] == [*DOCUMENTED_KEYS, "source"]
    assert said["source"] == "marzban"
    assert not {"version", "event_source"} & said.keys()


START = "2026-11-21T04:14:18"  # when every message of these tests occurred
BEGIN = ["user.created", "subscription.created", "subscription.renewed", "subscription.trial_started"]


@pytest.mark.parametrize("type_", BEGIN)
@pytest.mark.parametrize(
    ("expires_at", "days"),
    [
        ("2027-02-19T04:13:53.885Z", "90"),  # 25 s short, as the documented example is
        ("2027-02-19T04:14:18+00:00", "90"),
        ("2026-11-28T16:14:17Z", "7"),
        ("2026-11-28T16:14:18Z", "8"),
        ("2026-11-28T19:44:18+03:30", "8"),
        ("2026-11-21T15:00:00Z", "0"),
        ("9999-12-31T23:59:59.999999Z", "2912119"),
        (f"{START}Z", "0"),
        ("2026-11-21T04:14:17Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2026-13-45T00:00:00Z", None),
        ("tomorrow", None),
        (None, None),
    ],
)
def test_a_subscription_lasts_from_its_event_to_its_end_to_the_nearest_day(
    type_: str, expires_at: str | None, days: str | None
) -> None:
    of_subscription = sent({"subscription": {"plan": "x", "expires_at": expires_at}}, type_)["subscription"]
    of_user = sent({"user": {"expires_at": expires_at}}, type_).get("subscription", {})
    assert of_subscription.get("duration_days") == of_user.get("duration_days") == days


@pytest.mark.parametrize("type_", sorted({*DOCUMENTED.values()} - {*BEGIN}))
def test_of_any_other_event_nobody_knows_when_its_subscription_began(type_: str) -> None:
    assert sent({"subscription": {"expires_at": "2027-02-19T04:14:18Z"}}, type_)["subscription"] == {
        "expires_at": "2027-02-19T04:14:18Z"
    }


@pytest.mark.parametrize(("said_by_event", "days"), [(30, "30"), ("30", "30"), (0, "0"), ("three months", "90")])
def test_what_the_event_says_of_its_days_holds(said_by_event: Any, days: str) -> None:
    subscription = {"duration_days": said_by_event, "expires_at": "2027-02-19T04:14:18Z"}
    assert sent({"subscription": subscription})["subscription"]["duration_days"] == days


def test_the_end_of_a_user_is_that_of_the_subscription_where_the_panel_has_none() -> None:
    ends = {"expires_at": "2027-02-19T04:14:18Z"}
    assert sent({"user": ends}, "user.updated")["subscription"] == ends
    both = sent({"user": ends, "subscription": {"expires_at": "2027-01-01T00:00:00Z"}}, "user.updated")
    assert both["subscription"] == {"expires_at": "2027-01-01T00:00:00Z"}


@pytest.mark.parametrize(("subject", "expected"), [("user:bob", "bob"), (None, None), ("user:", None)])
def test_a_user_event_always_says_who(subject: str | None, expected: str | None) -> None:
    said = sent({}, "user.on_hold", subject)
    assert said["username"] == (expected or said["event_id"])


@pytest.mark.parametrize("type_", [*TYPES, "json.foo..bar", "cloudevents.com.example.x-y", "json.ünï", "2fa", ""])
def test_every_type_has_a_name_in_capitals(type_: str) -> None:
    said = sent(JOHN, type_)
    assert breaches(contract("orbvpn.zapier"), said) == []
    assert type_ not in DOCUMENTED.values() or said["event_type"] in DOCUMENTED


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(200, body=b'{"id":"z1","request_id":"r","status":"success"}'), Delivered(ref="z1")),
        (Response(200, body=b"fine"), Delivered()),
        (Response(201), Away("HTTP 201")),
        (Response(204), Away("HTTP 204")),
        (Response(200, body=b"<html>log in here</html>"), between(200, "a web page")),
        (Response(400), Away("HTTP 400")),
        *((Response(status), between(status, "nothing")) for status in (401, 403, 404)),
        (Response(400, body=b"<html>"), between(400, "a web page")),
        (Response(413), Refused("HTTP 413")),
        (Response(410), Gone("HTTP 410: the hook is gone")),
        (Response(429), Limited()),
        (Response(429, {"retry-after": "5"}), Limited(5.0)),
        (Response(503, {"retry-after": "9"}), Away("HTTP 503", 9.0)),
    ],
)
def test_classify(response: Response, expected: Outcome) -> None:
    assert a_sink(type="zapier", url=URL).classify(response) == expected


def test_a_hook_bears_thirty_a_second_and_all_of_an_account_ten_thousand_in_five_minutes() -> None:
    own, hook, account = a_sink(type="zapier", url=URL).limits
    assert own == Limit("", Rate(10, 1.0))
    assert hook.rate == Rate(30, 1.0)
    assert account == Limit("zapier account 1234567", Rate(10_000, 300.0))
    other = a_sink(type="zapier", url=URL.replace("abcdef0", "fedcba9")).limits
    assert other[2] == account
    assert other[1].scope != hook.scope
    assert len(a_sink(type="zapier", url="https://zaps.example/old/hook").limits) == 2


def test_an_address_is_needed() -> None:
    with pytest.raises(ValidationError, match="Field required"):
        config(type="zapier")


@pytest.mark.parametrize(
    ("setting", "fault"),
    [({"source_name": ""}, "at least 1 character"), ({"version": ""}, "at least 1"), ({"api_key": ""}, "is empty")],
)
def test_a_wrong_setting_says_what_to_do(setting: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        config(type="zapier", url=URL, **setting)


@pytest.mark.parametrize("key", [None, "k-123"])
async def test_the_key_goes_along_as_a_header(http: Http, key: str | None) -> None:
    service = Zapier()
    async with serving(service) as base:
        sink = a_sink(http, type="zapier", url=base + HOOK, api_key=key)
        await sink.send(a_message(data=JOHN))
        await sink.send_digest(a_digest({}, a_message(data=JOHN)))
    assert [one.headers.get("x-api-key") for one in service.taken] == [key] * 2


async def test_zapier_takes_it_until_the_hook_is_removed(http: Http) -> None:
    service = Zapier()
    async with serving(service) as base:
        sink = a_sink(http, type="zapier", url=base + HOOK)
        first = await sink.send(a_message(data=JOHN))
        service.removed = True
        second = await sink.send(a_message(data=JOHN))
    assert first.outcome == Delivered(ref="z-1")
    assert second.outcome == Gone("HTTP 410: the hook is gone")


facts = st.fixed_dictionaries(
    {},
    optional={
        "user": st.dictionaries(
            st.sampled_from(["id", "username", "email", "first_name", "country", "phone"]) | st.text(max_size=8),
            json_values,
        )
        | json_values,
        "subscription": st.dictionaries(
            st.sampled_from(
                ["plan", "plan_id", "duration_days", "multi_login_count", "expires_at", "group_name", "GroupName"]
            ),
            json_values,
        )
        | json_values,
        "profile": json_values,
        "event_type": json_values,
        "occurredAt": json_values,
    },
)


@given(
    data=facts | st.dictionaries(hostile_texts, json_values, max_size=5), type_=st.sampled_from(["user.created", "x.y"])
)
def test_no_event_makes_a_payload_that_breaks_the_documented_format(data: Any, type_: str) -> None:
    assert breaches(contract("orbvpn.zapier"), sent(data, type_)) == []
