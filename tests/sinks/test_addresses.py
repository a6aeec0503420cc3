"""Sinks with many addresses: each message goes where one record says, and what is gone there is gone there alone."""

import asyncio
import json
import re
from collections.abc import Mapping
from email import message_from_bytes
from email.utils import getaddresses
from typing import Any, Literal
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bridge.message import Circumstances, Earlier, Message
from bridge.outcome import Delivered, Gone, Limit, Rate, Spaced
from bridge.people.address import Address, NoAddress
from bridge.sinks import CONFIGS
from bridge.sinks.apprise import AppriseConfig
from bridge.sinks.bale import BaleConfig
from bridge.sinks.base import AddressedConfig, ServiceSink, SinkConfig, Tools
from bridge.sinks.console import ConsoleConfig
from bridge.sinks.discord import DiscordConfig
from bridge.sinks.email import EmailConfig
from bridge.sinks.email.letter import read_letter
from bridge.sinks.gohighlevel import GoHighLevelConfig
from bridge.sinks.http import Http, Request, Response
from bridge.sinks.matrix import MatrixConfig
from bridge.sinks.mattermost import MattermostConfig
from bridge.sinks.max import MaxConfig
from bridge.sinks.ntfy import NtfyConfig
from bridge.sinks.slack import SlackConfig
from bridge.sinks.telegram import TelegramConfig
from bridge.sinks.webhook import WebhookConfig
from bridge.sinks.zapier import ZapierConfig
from bridge.value import replace
from tests.fakes import START, an_event
from tests.services.email import Mail
from tests.services.service import serving

HOOK = "https://discord.com/api/webhooks/104/abc"
#: Settings, a record, and what of the request it leads to.
ADDRESSED: dict[type[AddressedConfig], tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    TelegramConfig: (
        {"token": "1:a", "chat_id": "{{ owner.telegram }}", "message_thread_id": "{{ owner.thread }}"},
        {"telegram": -1007, "thread": 12},
        {"chat_id": -1007, "message_thread_id": 12},
    ),
    SlackConfig: (
        {"token": "xoxb-1", "channel": "{{ owner.slack }}"},
        {"slack": "C0123ABCD"},
        {"channel": "C0123ABCD"},
    ),
    NtfyConfig: ({"topic": "alerts-{{ owner.ntfy }}"}, {"ntfy": "seven"}, {"topic": "alerts-seven"}),
    DiscordConfig: (
        {"url": "{{ owner.discord }}", "thread_id": "{{ owner.discord_thread }}"},
        {"discord": HOOK, "discord_thread": "42"},
        {"url": f"{HOOK}?wait=true&thread_id=42"},
    ),
    WebhookConfig: (
        {
            "url": "https://hooks.example.com/in/{{ owner.x_room }}/new",
            "headers": {"X-Room": "room {{ owner.x_room }}", "X-Fixed": "always"},
        },
        {"x_room": "seven & co, ltd"},
        {
            "url": "https://hooks.example.com/in/seven%20&%20co,%20ltd/new",
            "X-Room": "room seven%20&%20co%2C%20ltd",
            "X-Fixed": "always",
        },
    ),
    EmailConfig: (
        {"server": "smtp.example.com", "from": "VPN <vpn@example.com>", "to": "{{ owner.email }}"},
        {"email": "Seven@Example.org"},
        {"to": "Seven@example.org", "from": "VPN <vpn@example.com>"},
    ),
    MatrixConfig: (
        {
            "token": "a",
            "room": "{{ owner.matrix }}",
            "thread": "{{ owner.matrix_thread }}",
            "api_base": "https://matrix.example.com",
        },
        {"matrix": "!seven:example.org", "matrix_thread": "$first"},
        {"room": "!seven:example.org"},
    ),
    MattermostConfig: (
        {"url": "https://chat.example.com/hooks/k1", "channel": "{{ owner.mattermost }}"},
        {"mattermost": "reseller-7"},
        {"channel": "reseller-7"},
    ),
    BaleConfig: ({"token": "1:a", "chat_id": "{{ owner.bale }}"}, {"bale": 4912345678}, {"chat_id": 4912345678}),
    MaxConfig: (
        {"token": "a", "chat_id": "{{ owner.max }}"},
        {"max": -72233445566778},
        {"url": "https://platform-api2.max.ru/messages?chat_id=-72233445566778&disable_link_preview=true"},
    ),
}
#: What is given in place of another setting: the same in all but its name.
INSTEAD = {MaxConfig: {"user_id"}}
#: The others, and why theirs is one address.
ONE_ADDRESS: dict[type[SinkConfig], str] = {
    AppriseConfig: "its URL is a credential of whatever service, and which host it leads to is that service's to know",
    ConsoleConfig: "it prints",
    GoHighLevelConfig: "it writes to one account, where contacts are found by what is known of them",
    ZapierConfig: "a hook starts one Zap, which decides for itself",
}
#: What each service says of one address that is gone, and of all.
ONE = {
    TelegramConfig: (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was kicked from the group"}),
    SlackConfig: (200, {"ok": False, "error": "is_archived"}),
    NtfyConfig: (403, {"http": 403, "code": 40301, "error": "forbidden"}),
    DiscordConfig: (404, {"message": "Unknown Webhook", "code": 10015}),
    WebhookConfig: (410, {}),
    EmailConfig: (550, "5.1.1 no such user"),
    MatrixConfig: (403, {"errcode": "M_FORBIDDEN", "error": "not in the room"}),
    MattermostConfig: (
        404,
        {"id": "web.incoming_webhook.channel.app_error", "message": "no such channel", "status_code": 404},
    ),
    BaleConfig: (440, {"ok": False, "error_code": 440, "description": "no such group or user"}),
    MaxConfig: (403, {"code": "chat.denied", "message": "error.dialog.suspended"}),
}
ALL = {
    TelegramConfig: (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}),
    SlackConfig: (200, {"ok": False, "error": "token_revoked"}),
    EmailConfig: (535, "5.7.8 wrong password"),
    MatrixConfig: (401, {"errcode": "M_UNKNOWN_TOKEN", "error": "unknown token"}),
    MattermostConfig: (
        400,
        {"id": "web.incoming_webhook.invalid.app_error", "message": "no such webhook", "status_code": 400},
    ),
    BaleConfig: (403, {"ok": False, "error_code": 403, "description": "Bad Request: Token not found"}),
    MaxConfig: (401, {"code": "verify.token", "message": "Invalid access_token"}),
}
#: At these every address is a credential of its own: there is nothing that they all need.
NOTHING_SHARED = {NtfyConfig, DiscordConfig, WebhookConfig}
EVENT = replace(an_event(), data={"owner": "reseller-7"})
MESSAGE = Message(event=EVENT, at=START)
each = pytest.mark.parametrize("config", ADDRESSED, ids=lambda one: one.__name__)


def bound(
    config: type[AddressedConfig], record: Mapping[str, Any] | None = None, *, among: Mapping[Any, Any] | None = None
) -> ServiceSink[Any]:
    """The sink of one reseller."""
    settings, usual, _ = (among or ADDRESSED)[config]
    sink: Any = config.model_validate(settings).open(Tools(Http(), {}))  # type: ignore[attr-defined]
    address = sink.addressing.resolve(EVENT, usual if record is None else record)
    assert isinstance(address, Address), address
    found: ServiceSink[Any] = sink.at(address)
    return found


def response(config: type[AddressedConfig], status: int, said: Any) -> Response:
    """The service's answer; a mail server's is a line, to the command that a refusal is likeliest to."""
    if isinstance(said, str):
        return Response(status, {"command": "RCPT" if status == 550 else "AUTH"}, said.encode())
    return Response(status, {}, json.dumps(said).encode())


def said_of(request: Request) -> dict[str, Any]:
    """Whatever of a request says where it goes."""
    room = re.search("/rooms/([^/]+)/", request.url.raw_path)
    where = {"url": str(request.url), "room": unquote(room[1]) if room else None}
    return {**json.loads(request.body or b"{}"), **request.headers, **where}


def test_every_sink_has_many_addresses_or_says_why_not() -> None:
    assert set(ADDRESSED) == {one for one in CONFIGS if issubclass(one, AddressedConfig)} == set(ONE)
    assert set(ADDRESSED) | set(ONE_ADDRESS) == set(CONFIGS)
    assert not set(ADDRESSED) & set(ONE_ADDRESS)
    assert set(ALL) | NOTHING_SHARED == set(ADDRESSED)


@each
def test_every_setting_of_an_address_is_tried(config: type[AddressedConfig]) -> None:
    assert set(config.model_validate(ADDRESSED[config][0]).address_expressions()) >= (
        set(config.address_forms) - INSTEAD.get(config, set())
    )


def test_a_person_of_max_is_reached_in_place_of_a_chat() -> None:
    sink: Any = MaxConfig.model_validate({"token": "a", "user_id": "{{ owner.max }}"}).open(Tools(Http(), {}))
    address = sink.addressing.resolve(EVENT, {"max": 123456789})
    assert sink.at(address).build(MESSAGE).url.query["user_id"] == "123456789"
    assert isinstance(sink.addressing.resolve(EVENT, {"max": -72233445566778}), NoAddress)


@each
def test_a_message_goes_where_the_record_says(config: type[AddressedConfig]) -> None:
    said, wanted = said_of(bound(config).build(MESSAGE)), ADDRESSED[config][2]
    assert {name: said.get(name) for name in wanted} == wanted


@each
def test_what_is_gone_there_is_gone_there_alone(config: type[AddressedConfig]) -> None:
    status, body = ONE[config]
    outcome = bound(config).judge(response(config, status, body)).outcome
    assert isinstance(outcome, Gone), outcome
    assert outcome.where == "address"


def test_one_url_with_a_header_for_each_is_gone_for_all() -> None:
    settings = {"url": "https://hooks.example.com/in", "headers": {"X-Room": "{{ owner.x_room }}"}}
    sink: Any = WebhookConfig.model_validate(settings).open(Tools(Http(), {}))
    one = sink.at(sink.addressing.resolve(EVENT, {"x_room": "seven"}))
    assert one.build(MESSAGE).headers["X-Room"] == "seven"
    assert one.judge(Response(410)).outcome == Gone("HTTP 410")


@pytest.mark.parametrize("config", ALL, ids=lambda one: one.__name__)
def test_what_they_all_need_is_gone_for_all(config: type[AddressedConfig]) -> None:
    status, body = ALL[config]
    outcome = bound(config).judge(response(config, status, body)).outcome
    assert isinstance(outcome, Gone), outcome
    assert outcome.where == "sink"


@each
def test_the_same_place_has_the_same_name_and_none_that_gives_it_away(config: type[AddressedConfig]) -> None:
    settings, record, _ = ADDRESSED[config]
    addressing = config.model_validate(settings).addressing()
    assert addressing is not None
    first, second = (addressing.resolve(EVENT, record) for _ in range(2))
    assert isinstance(first, Address)
    assert first == second
    assert first.place
    assert HOOK not in first.place


HOSTILE = st.sampled_from(
    [
        *("..", ".", "", "%2e", "%2e%2e", "%2f..%2f", "@evil.example", "evil.example", "//evil.example", "\\evil"),
        *(
            "a/../../b",
            "x\r\nHost: evil",
            "x\r\nBcc: b@c",
            ",",
            ";",
            "?a=b",
            "#f",
            "\u202e",
            "\u200e",
            "\x00",
            "{{ 7 }}",
        ),
        *("https://discord.com@evil.example/api/webhooks/1/a", "https://discord.com.evil/api/webhooks/1/a"),
        *(f"{HOOK}/../x", f"{HOOK}?x=y", f" {HOOK}", f"{HOOK}\n", "C0123ABCD\n", "9" * 10_000, "a" * 1_000_000),
        *("a@b,c@d", "a@b;c@d", "a@b c@d", "A <a@b>", "<a@b>", '"a@c"@b', "a@b\r\nBcc: c@d", "a@b\n", "@b", "a@@b"),
        *("a@b@c", "a@[127.0.0.1]", "a@b..c", "a@-b", "a@b.c", "ü@b.c", "a@ü.c", "a" * 64 + "@b.c", "x@" + "y" * 300),
        *("!a/../b", "!a/send", "!a:b\n", "!", "!..", "!%2e%2e", "!a:b?x", "#a:b", "$a/../b", "$x", "!a b:c"),
        *("@all", "@channel", "town square", "a/b", "A", "@", "2147483648", 2**63, -(2**63), 2**63 - 1),
    ]
)
VALUES = HOSTILE | st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text(), max_size=2)


@each
@given(value=VALUES)
def test_no_data_leads_a_request_to_a_host_or_path_that_the_file_does_not_allow(
    config: type[AddressedConfig], value: Any
) -> None:
    """Whatever the record and the event hold: there is no address, or the request goes where the file says."""
    settings, record, _ = ADDRESSED[config]
    sink: Any = config.model_validate(settings).open(Tools(Http(), {}))  # type: ignore[attr-defined]
    address = sink.addressing.resolve(EVENT, dict.fromkeys(record, value))
    if isinstance(address, NoAddress):
        return
    request, fixed = sink.at(address).build(MESSAGE), bound(config).build(MESSAGE)
    assert request.url.origin() == fixed.url.origin()
    assert request.url.user is None
    assert request.method == fixed.method
    assert request.url.raw_parts[:2] == fixed.url.raw_parts[:2]
    assert not {"..", "."} & set(request.url.raw_parts)
    assert len(request.url.raw_parts) == len(fixed.url.raw_parts)
    assert len(str(request.url)) < 3000
    assert set(request.headers) == set(fixed.headers)
    assert all(name.isprintable() and text.isprintable() for name, text in request.headers.items())
    assert said_of(request).keys() <= said_of(fixed).keys()


@given(value=VALUES)
def test_no_data_adds_to_a_letters_head_or_to_those_who_get_it(value: Any) -> None:
    """Whatever a record holds: there is no address, or the letter has the one mailbox and the lines that each has."""
    settings, record, _ = ADDRESSED[EmailConfig]
    addressing = EmailConfig.model_validate(settings).addressing()
    assert addressing is not None
    address = addressing.resolve(EVENT, dict.fromkeys(record, value))
    if isinstance(address, NoAddress):
        return
    letter = read_letter(bound(EmailConfig, dict.fromkeys(record, value)).build(MESSAGE).body)
    usual = message_from_bytes(read_letter(bound(EmailConfig).build(MESSAGE).body).mime())
    written = message_from_bytes(letter.mime())
    assert written.keys() == usual.keys()
    assert letter.to.address.isascii()
    assert letter.to.address.isprintable()
    assert [one for _, one in getaddresses([str(written["To"])])] == [letter.to.address]


#: Another record for each, so that there are two of them.
OTHER: dict[type[AddressedConfig], dict[str, Any]] = {
    TelegramConfig: {"telegram": -1008, "thread": 13},
    SlackConfig: {"slack": "C0987ZYXW"},
    NtfyConfig: {"ntfy": "eight"},
    DiscordConfig: {"discord": "https://discord.com/api/webhooks/105/def", "discord_thread": "43"},
    WebhookConfig: {"x_room": "eight"},
    EmailConfig: {"email": "eight@example.net"},
    MatrixConfig: {"matrix": "!eight:example.org", "matrix_thread": "$second"},
    MattermostConfig: {"mattermost": "reseller-8"},
    BaleConfig: {"bale": 4912345679},
    MaxConfig: {"max": -72233445566779},
}
#: What each service has answered to a message, and what a sink remembers it by.
REFS = {
    TelegramConfig: "-1007/7",
    SlackConfig: "C0123ABCD/1732160058.161673",
    DiscordConfig: "111/42",
    EmailConfig: "<a.b@example.com>",
    MatrixConfig: "!seven:example.org/$seventh",
    BaleConfig: "4912345678/7",
    MaxConfig: "chat:-72233445566778/mid.7",
}


@each
def test_two_of_them_are_told_apart_everywhere(config: type[AddressedConfig]) -> None:
    """Place, request and whoever is asked: nothing of the one's address stands in what goes to the other."""
    ours, theirs = (said_of(bound(config, one).build(MESSAGE)) for one in (ADDRESSED[config][1], OTHER[config]))
    for value in ADDRESSED[config][1].values():
        assert str(value) not in unquote(json.dumps(theirs))
    assert ours != theirs
    addressing = config.model_validate(ADDRESSED[config][0]).addressing()
    assert addressing is not None
    first, second = (addressing.resolve(EVENT, one) for one in (ADDRESSED[config][1], OTHER[config]))
    assert isinstance(first, Address)
    assert isinstance(second, Address)
    assert first.place != second.place


@pytest.mark.parametrize("thread", [False, True], ids=["edited", "answered"])
@pytest.mark.parametrize("config", REFS, ids=lambda one: one.__name__)
def test_an_earlier_message_of_another_address_is_neither_edited_nor_answered(
    config: type[AddressedConfig], thread: bool
) -> None:
    """A directory that was mended since leads elsewhere: what is said now is said there, and not where it was."""
    earlier = Circumstances(earlier=Earlier(ref=REFS[config], type="node.up", occurred_at=START, thread=thread))
    flow = bound(config, OTHER[config]).flow(replace(MESSAGE, circumstances=earlier))
    request, anew = next(flow), bound(config, OTHER[config]).build(MESSAGE)
    assert request.url.origin() == anew.url.origin()
    assert request.url.raw_parts[:4] == anew.url.raw_parts[:4]
    gone = [str(one) for one in ADDRESSED[config][1].values() if one not in (42, "42")]
    assert not [one for one in gone if one in unquote(json.dumps(said_of(request)))]


def test_what_has_a_memory_of_its_messages_is_tried() -> None:
    updating = {one for one in ADDRESSED if any(_can(one, how) for how in ("subject", "thread"))}
    assert set(REFS) == updating


def _can(config: type[AddressedConfig], how: Literal["subject", "thread"]) -> bool:
    return config.model_validate(ADDRESSED[config][0]).cannot_update(how) is None


# How fast

#: How fast one of them may be spoken to, where the service counts by address.
SPACED: dict[type[AddressedConfig], tuple[Spaced, ...]] = {
    TelegramConfig: (Spaced(1, 1.0), Spaced(5, 4.0)),
    SlackConfig: (Spaced(1, 1.0),),
    DiscordConfig: (Spaced(2, 2 / 3), Spaced(6, 2.5)),
    BaleConfig: (Spaced(1, 1.0),),
    MaxConfig: (Spaced(1, 0.5),),
}


@each
def test_what_the_service_counts_by_address_is_kept_for_each_and_the_rest_is_shared(
    config: type[AddressedConfig],
) -> None:
    sink: Any = config.model_validate(ADDRESSED[config][0]).open(Tools(Http(), {}))  # type: ignore[attr-defined]
    assert bound(config).spacing == SPACED.get(config, ())
    assert all("{{" not in limit.scope for limit in sink.service_limits)
    assert sink.sender == bound(config).sender == bound(config, OTHER[config]).sender


@each
def test_over_all_addresses_what_the_service_allows_is_enough(config: type[AddressedConfig]) -> None:
    """10/s are for who reads all of it."""
    sink: Any = config.model_validate(ADDRESSED[config][0]).open(Tools(Http(), {}))  # type: ignore[attr-defined]
    service = [limit for limit in sink.service_limits if limit.sends]
    assert [limit for limit in sink.limits if limit.sends] == (service or [Limit("", Rate(10, 1.0))])


@each
def test_what_the_operator_says_of_each_address_replaces_what_the_service_allows(config: type[AddressedConfig]) -> None:
    for said, spaced in (
        ("2/s", (Spaced.within(Rate(2, 1.0)),)),
        (["1/50ms", "20/min"], (Spaced(1, 0.05), Spaced(5, 4.0))),
        ("unlimited", ()),
    ):
        settings, usual, more = ADDRESSED[config]
        with_rate = ADDRESSED | {config: ({**settings, "rate_each": said}, usual, more)}
        assert bound(config, among=with_rate).spacing == spaced


async def test_a_hundred_letters_at_once_come_to_whom_they_are_for(http: Http) -> None:
    """Over the connections that they share: each says to whom it is, and is handed over for that mailbox alone."""
    mail = Mail()
    async with serving(mail) as base:
        settings = {"server": "127.0.0.1", "port": URL(base).port, "encryption": "none", "from": "vpn@example.com"}
        sink = EmailConfig.model_validate({**settings, "to": "{{ owner.email }}"}).open(Tools(http, {}))
        assert sink.addressing is not None

        async def tell(number: int) -> None:
            address = sink.addressing.resolve(EVENT, {"email": f"owner-{number}@example.com"})  # type: ignore[union-attr]
            assert isinstance(address, Address)
            message = replace(MESSAGE, blocks={"subject": f"for {number}", "text": f"for {number}"})
            assert isinstance((await sink.at(address).send(message)).outcome, Delivered)

        await asyncio.gather(*map(tell, range(100)))
        await http.close()
    assert {str(letter["To"]): str(letter["Subject"]) for letter in mail.letters} == {
        f"owner-{number}@example.com": f"for {number}" for number in range(100)
    }
    assert len(mail.letters) == 100
    assert mail.refused == []
