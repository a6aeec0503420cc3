"""Every service can be asked whether it would take a message, in its own words, and nothing is sent to find out."""

from typing import Any

import pytest
from yarl import URL

from bridge.sinks.base import AddressedConfig
from bridge.sinks.http import Http
from bridge.sinks.reachability import Finding, FindingMark, HostOnly
from tests.services import discord, gohighlevel, ntfy, slack, telegram
from tests.services.every import EVERY
from tests.services.known import at
from tests.services.service import Answer, Service, StandIn, serving
from tests.sinks.values import CONFIGS, a_sink, config, tools
from tests.street import HOUSES

SINKS = {
    f"{type_} {name}": (type_, house.stand_in, settings)
    for type_, house in HOUSES.values()
    for name, settings in house.sinks.items()
}
#: Those whose answers have a shape, over HTTP.
SHAPED = [
    name
    for name, (type_, stand_in, _) in SINKS.items()
    if type_ not in ("zapier", "webhook") and isinstance(stand_in(False), Service)
]
WITHIN = 60.0  # seconds


async def asked(service: StandIn, http: Http, **settings: Any) -> Finding:
    async with serving(service) as base:
        return await a_sink(http, **at(settings, base)).asked(within=WITHIN)


@pytest.mark.parametrize("sink", SINKS)
async def test_asking_finds_nothing_wrong_where_nothing_is_and_sends_nothing(http: Http, sink: str) -> None:
    type_, stand_in, settings = SINKS[sink]
    service = stand_in(False)
    finding = await asked(service, http, type=type_, **settings)
    assert finding.mark in (FindingMark.OK, FindingMark.UNKNOWN), finding
    assert (service.taken, service.refused) == ([], [])


@pytest.mark.parametrize("sink", SINKS)
async def test_what_can_only_be_reached_sees_no_request(http: Http, sink: str) -> None:
    type_, stand_in, settings = SINKS[sink]
    service = stand_in(False)
    async with serving(service) as base:
        opened = a_sink(http, type=type_, **at(settings, base))
        finding = await opened.asked(within=WITHIN)
        reached = isinstance(opened.ask(), HostOnly)
    assert (finding.mark is FindingMark.UNKNOWN) == reached
    assert (service.requests == 0) == reached


@pytest.mark.parametrize("sink", SINKS)
async def test_a_service_that_is_not_there_is_told_in_words_without_a_secret(
    http: Http, sink: str, unused_tcp_port: int
) -> None:
    type_, _, settings = SINKS[sink]
    gone = at(settings, f"http://127.0.0.1:{unused_tcp_port}")
    finding = await a_sink(http, type=type_, **gone).asked(within=WITHIN)
    assert finding == Finding(FindingMark.WRONG, "no answer: connection refused")


@pytest.mark.parametrize("sink", SHAPED)
@pytest.mark.parametrize(
    "answer", [Answer(502, "<html>"), Answer(200, "<html>"), Answer(403, "<html>{secret}")], ids=str
)
async def test_what_something_in_between_says_is_not_taken_for_the_service(
    http: Http, sink: str, answer: Answer
) -> None:
    type_, stand_in, settings = SINKS[sink]
    service = stand_in(False)
    service.answer_next(*[answer] * 3)
    finding = await asked(service, http, type=type_, **settings)
    assert finding.mark is (FindingMark.WRONG if service.requests else FindingMark.UNKNOWN)


def test_every_sink_can_be_asked() -> None:
    for one in CONFIGS:
        type_ = one.model_fields["type"].default
        opened = config(type=type_, **EVERY[type_].example).open(tools())
        assert type(opened).asked.__doc__, type_
        own = "ask" if hasattr(opened, "ask") else "asked"
        assert type(opened).__dict__.get(own), f"{type_} has no {own} of its own"


async def test_the_console_has_nobody_to_ask() -> None:
    assert (await config(type="console").open(tools()).asked(within=WITHIN)).mark is FindingMark.OK


DISCORD = {"type": "discord", "url": f"{{base}}/api/webhooks/{discord.ID}/{discord.TOKEN}"}


@pytest.mark.parametrize(
    ("deleted", "token", "finding"),
    [
        (False, discord.TOKEN, Finding(FindingMark.OK, f'webhook "Captain Hook" of channel {discord.CHANNEL}')),
        (True, discord.TOKEN, Finding(FindingMark.WRONG, "HTTP 404, code 10015: Unknown Webhook")),
        (False, "another-token-of-it", Finding(FindingMark.WRONG, "HTTP 401, code 50027: Invalid Webhook Token")),
    ],
)
async def test_what_discord_says(http: Http, deleted: bool, token: str, finding: Finding) -> None:
    service = discord.Discord()
    service.deleted = deleted
    url = f"{{base}}/api/webhooks/{discord.ID}/{token}"
    assert await asked(service, http, type="discord", url=url) == finding


BOT = {"type": "telegram", "token": telegram.TOKEN, "chat_id": -1001, "api_base": "{base}"}
MAY = '@fravpn_bot may post in "VPN night shift"'


@pytest.mark.parametrize(
    ("chat", "member", "mark", "text"),
    [
        (-1001, {"status": "administrator"}, FindingMark.OK, MAY),
        (-1001, {"status": "member"}, FindingMark.OK, MAY),
        (42, {"status": "left"}, FindingMark.OK, MAY),  # a private chat has no members
        (-1001, {"status": "left"}, FindingMark.WRONG, '@fravpn_bot is not a member in "VPN night shift"'),
        (-1001, {"status": "kicked"}, FindingMark.WRONG, "was kicked"),
        (-1001, {"status": "restricted", "can_send_messages": False}, FindingMark.WRONG, "has no rights to write"),
        (-1001, {"status": "restricted", "can_send_messages": True}, FindingMark.OK, MAY),
        ("@news", {"status": "member"}, FindingMark.WRONG, "it is no administrator"),
        ("@news", {"status": "administrator", "can_post_messages": False}, FindingMark.WRONG, "right to post is off"),
        (-77, {}, FindingMark.WRONG, "chat not found"),
        (-5, {}, FindingMark.WRONG, "the chat has moved: set chat_id to -1005"),
    ],
)
async def test_what_telegram_says(
    http: Http, chat: int | str, member: dict[str, Any], mark: FindingMark, text: str
) -> None:
    service = telegram.Telegram(moved={-5: -1005})
    service.members[chat] = member
    finding = await asked(service, http, **BOT | {"chat_id": chat})
    assert finding.mark is mark
    assert text in finding.text


async def test_a_revoked_bot_is_told_and_its_token_is_not(http: Http) -> None:
    token = "123456789:AAF-another-bot-token-0123456789abcd"
    finding = await asked(telegram.Telegram(), http, **BOT | {"token": token})
    assert finding == Finding(FindingMark.WRONG, "HTTP 401: Unauthorized")


@pytest.mark.parametrize(
    ("channel", "said", "scopes", "fault", "finding"),
    [
        (slack.CHANNEL, {}, True, "", (FindingMark.OK, "posts in #notifications")),
        (slack.CHANNEL, {}, False, "", (FindingMark.OK, "is seen by a message alone")),
        ("#notifications", {}, True, "", (FindingMark.OK, "is seen by a message alone")),
        (slack.CHANNEL, {"is_member": False}, True, "", (FindingMark.WRONG, "#notifications: not_in_channel")),
        (slack.CHANNEL, {"is_archived": True}, True, "", (FindingMark.WRONG, "#notifications: is_archived")),
        ("C7777777", {}, True, "", (FindingMark.WRONG, "HTTP 200: channel_not_found")),
        (slack.CHANNEL, {}, True, "token_revoked", (FindingMark.WRONG, "HTTP 200: token_revoked")),
        (slack.CHANNEL, {}, True, "ratelimited", (FindingMark.LOOK, "it asks to wait")),
    ],
)
async def test_what_slack_says_to_a_token(
    http: Http, channel: str, said: dict[str, Any], scopes: bool, fault: str, finding: tuple[FindingMark, str]
) -> None:
    service = slack.Slack()
    service.channel |= said
    service.scopes, service.fault = scopes, fault
    got = await asked(service, http, type="slack", token=slack.TOKEN, channel=channel, api_base="{base}/api")
    assert got.mark is finding[0]
    assert finding[1] in got.text


@pytest.mark.parametrize(
    ("token", "healthy", "finding"),
    [
        (ntfy.TOKEN, True, (FindingMark.OK, "knows phil")),
        (None, True, (FindingMark.OK, "the server is well")),
        ("tk_another", True, (FindingMark.WRONG, "code 40101: unauthorized")),
        (ntfy.TOKEN, False, (FindingMark.WRONG, "not healthy")),
    ],
)
async def test_what_ntfy_says(http: Http, token: str | None, healthy: bool, finding: tuple[FindingMark, str]) -> None:
    service = ntfy.Ntfy(token=ntfy.TOKEN)
    service.healthy = healthy
    got = await asked(service, http, type="ntfy", topic=ntfy.TOPIC, token=token, api_base="{base}")
    assert got.mark is finding[0]
    assert finding[1] in got.text


@pytest.mark.parametrize(
    ("key", "location", "scopes", "finding"),
    [
        (gohighlevel.TOKEN, gohighlevel.LOCATION, True, (FindingMark.OK, 'location "Fra VPN"')),
        (gohighlevel.TOKEN, gohighlevel.LOCATION, False, (FindingMark.OK, "may not read the location")),
        (gohighlevel.TOKEN, "another", True, (FindingMark.WRONG, "HTTP 403: The token does not have access")),
        ("pit-another-key-0123", gohighlevel.LOCATION, True, (FindingMark.WRONG, "HTTP 401: Invalid token")),
    ],
)
async def test_what_gohighlevel_says(
    http: Http, key: str, location: str, scopes: bool, finding: tuple[FindingMark, str]
) -> None:
    service = gohighlevel.GoHighLevel()
    service.scopes = scopes
    got = await asked(service, http, type="gohighlevel", api_key=key, location_id=location, api_base="{base}")
    assert got.mark is finding[0]
    assert finding[1] in got.text


async def test_what_needs_no_certificate_has_none_that_ends(http: Http) -> None:
    async with serving(slack.Slack()) as base:
        assert await http.reach(URL(base), within=WITHIN) is None


#: The settings of one sink for many addresses, by the sink on the street that it is made of, and what is asked of it.
MANY: dict[str, tuple[dict[str, str], FindingMark, int]] = {
    "slack slack-bot": ({"channel": "{{ owner.slack }}"}, FindingMark.OK, 1),
    "telegram telegram": ({"chat_id": "{{ owner.chat }}"}, FindingMark.OK, 1),
    "max max": ({"chat_id": "{{ owner.max }}"}, FindingMark.OK, 1),
    "bale bale": ({"chat_id": "{{ owner.bale }}"}, FindingMark.OK, 1),
    "matrix matrix": ({"room": "{{ owner.matrix }}"}, FindingMark.OK, 1),
    "mattermost mattermost": ({"channel": "{{ owner.mattermost }}"}, FindingMark.UNKNOWN, 0),
    "ntfy ntfy": ({"topic": "{{ owner.ntfy }}"}, FindingMark.OK, 2),
    "webhook shop": ({"headers": {"X-Room": "{{ owner.x_room }}"}}, FindingMark.UNKNOWN, 0),
    "email email": ({"to": "{{ owner.email }}"}, FindingMark.OK, 0),
}


@pytest.mark.parametrize("sink", MANY)
async def test_where_the_address_follows_from_data_only_what_is_the_same_for_all_is_asked(
    http: Http, sink: str
) -> None:
    type_, stand_in, settings = SINKS[sink]
    expressions, mark, requests = MANY[sink]
    service = stand_in(False)
    finding = await asked(service, http, type=type_, **{**settings, **expressions})
    assert finding.mark is mark, finding
    assert (service.requests, service.refused) == (requests, [])


async def test_a_place_that_is_its_own_address_is_not_asked_after(http: Http) -> None:
    finding = await asked(telegram.Telegram(), http, type="discord", url="{{ owner.discord }}")
    assert (finding.mark, finding.text) == (FindingMark.UNKNOWN, "whom it tells follows from each event")


def test_every_sink_for_many_addresses_is_asked_as_one() -> None:
    asked_of = {sink.partition(" ")[0] for sink in MANY} | {"discord"}
    assert asked_of == {one.model_fields["type"].default for one in CONFIGS if issubclass(one, AddressedConfig)}
