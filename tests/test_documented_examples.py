"""OrbVPN's documents, to the letter: its one event through its configuration objects, beside its three examples.

What we add beyond stands after what is documented; and the document's times name no zone, where ours end with Z.
"""

import json
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.panels.recorded import PAYLOADS
from tests.services import gohighlevel, slack, zapier
from tests.services.service import CONTRACTS
from tests.street import a_house, a_street

pytestmark = pytest.mark.process

#: The documented USER_CREATED, in the generic format.
USER_CREATED = {
    "eventType": "USER_CREATED",
    "timestamp": "2024-11-03T15:27:47.002948",
    "userId": 63396,
    "email": "user@example.com",
    "username": "user@example.com",
    "profile": {"firstName": "John", "lastName": "Doe", "country": "US", "phone": "+1234567890"},
    "subscription": {
        "groupName": "3 Month",
        "groupId": 3,
        "multiLoginCount": 5,
        "expiresAt": "2025-02-01T15:27:22.887568",
        "isTrialPeriod": False,
    },
    "reseller": {"id": 1, "level": "OWNER", "discountPercent": 100.0, "levelId": 6, "credit": 600.0},
    "active": True,
    "autoRenew": False,
}
IN_SLACK = json.loads(json.loads((PAYLOADS / "orbvpn" / "087-slack-USER_CREATED-text.json").read_text("utf-8"))["body"])
IN_GOHIGHLEVEL, IN_ZAPIER = (
    json.loads((CONTRACTS / f"orbvpn.{name}.schema.json").read_text("utf-8"))["examples"][0]
    for name in ("gohighlevel-webhook", "zapier")
)


def objects(urls: dict[str, str]) -> list[dict[str, Any]]:
    """The documented configuration objects, of services at these addresses."""
    providers = {
        "SLACK": (
            urls["slack"] + slack.HOOK,
            {"channel": "#notifications", "username": "OrbVPN Bot", "icon_emoji": ":robot_face:"},
        ),
        "GOHIGHLEVEL": (
            urls["crm"] + gohighlevel.INBOUND,
            {"locationId": "your-location-id", "apiKey": gohighlevel.TOKEN, "source": "OrbVPN"},
        ),
        "ZAPIER": (urls["zapier"] + zapier.HOOK, {"source": "OrbVPN", "version": "1.0", "api_key": "key-1"}),
    }
    return [
        {
            "name": f"{provider} Notifications",
            "providerType": provider,
            "endpoint": endpoint,
            "active": True,
            "subscribedEvents": ["USER_CREATED"],
            "providerSpecificConfig": json.dumps(settings),  # its code keeps it as text
            "maxRetries": 3,
            "retryDelay": 60,
        }
        for provider, (endpoint, settings) in providers.items()
    ]


def differences(documented: Any, said: Any, at: str = "") -> list[str]:
    """Every key, line and value in which `said` is not the document's, or stands elsewhere than there."""
    if isinstance(documented, dict):
        order = [
            f"{at}: {said_key!r} instead of {key!r}"
            for key, said_key in zip_longest(documented, list(said)[: len(documented)])
            if key != said_key
        ]
        return order or [
            one for key, value in documented.items() for one in differences(value, said[key], f"{at}.{key}")
        ]
    if isinstance(documented, str) and "\n" in documented:
        return differences(dict(enumerate(documented.splitlines())), dict(enumerate(said.splitlines())), at)
    return [] if type(said) is type(documented) and said in (documented, timed(documented)) else [f"{at}: {said!r}"]


def timed(text: Any) -> Any:
    """A documented time as we say it."""
    return f"{text}Z" if isinstance(text, str) and text[4:5] == "-" and text[10:11] == "T" else text


async def test_the_documented_event_is_told_as_the_document_shows_it(tmp_path: Path) -> None:
    async with a_street() as street:
        file = f"sinks: {{elsewhere: {{type: console}}}}\nwebhooks: {json.dumps(objects(street.urls))}"
        async with a_house(tmp_path, file, rows=["match: user.deleted, to: elsewhere"]) as panels:
            assert await panels.send("/in/orbvpn", USER_CREATED) == 200
            assert [one["state"] for one in await panels.settled(3)] == ["delivered"] * 3
        (to_slack,), (to_crm,), (to_zapier,) = (street[name].taken for name in ("slack", "crm", "zapier"))
    assert differences(IN_SLACK, to_slack.body) == []
    assert to_slack.body["text"].removeprefix(IN_SLACK["text"]).startswith("\n\n💼 *Reseller Information*\n")
    assert differences(IN_GOHIGHLEVEL, to_crm.body) == []
    assert (list(to_crm.body), to_crm.body["tags"]) == (list(IN_GOHIGHLEVEL), IN_GOHIGHLEVEL["tags"])
    assert to_crm.headers["authorization"] == f"Bearer {gohighlevel.TOKEN}"
    assert differences(IN_ZAPIER | {"source": "OrbVPN", "version": "1.0"}, to_zapier.body) == []
    assert to_zapier.headers["x-api-key"] == "key-1"


@pytest.mark.parametrize(
    ("documented", "said", "expected"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, [": 'b' instead of 'a'", ": 'a' instead of 'b'"]),
        ({"a": 1}, {}, [": None instead of 'a'"]),
        ({"a": {"b": "90"}}, {"a": {"b": 90}}, [".a.b: 90"]),
        ({"a": False}, {"a": 0}, [".a: 0"]),
        ({"a": ["x"]}, {"a": ["x", "y"]}, [".a: ['x', 'y']"]),
        ({"t": "2024-11-03T15:27:47"}, {"t": "2024-11-03T15:27:47Z"}, []),
        ({"t": "2024-11-03T15:27:47"}, {"t": "2024-11-03T15:27:48Z"}, [".t: '2024-11-03T15:27:48Z'"]),
        ({"s": "a\nb"}, {"s": "a\nb\nc"}, []),
        ({"s": "a\nb"}, {"s": "a\nc"}, [".s.1: 'c'"]),
        ({"s": "a\nb"}, {"s": "a"}, [".s: None instead of 1"]),
    ],
)
def test_whatever_is_not_the_documents_is_a_difference(documented: Any, said: Any, expected: list[str]) -> None:
    assert differences(documented, said) == expected
