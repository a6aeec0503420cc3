"""WGDashboard: peers that were made, changed and deleted, as many as were at once.

Source   github.com/donaldzou/WGDashboard @ 58fa826 (its webhooks, run), and @ 101ac5e (the same):
         src/modules/DashboardWebHooks.py; src/modules/WireguardConfiguration.py, who calls them
Secret   a header of our own at its hook, Authorization: Bearer …
Sends    POST {action, configuration, peers: [public key], time, webhook_id, webhook_session}, one object, as JSON or as
         a URL-encoded form with `peers` as JSON text in it; 4 more tries, 10 s apart; below 400 is success
Signs    nothing
Units    time: YYYY-MM-DD HH:MM:SS, read in `timezone`
Quirks   where a hook sends a form, another's JSON can have `peers` as a text too
         a try has the bytes of the first one; webhook_session names what is told
         a hook's own Content-Type is passed over; time is when the request was made, and the same in all of its tries
         the names of peers are not sent; nothing tells of restricting a peer, of traffic or of schedules, nor of
         deletions of which some failed
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bridge.codec import dump
from bridge.errors import BadPayload, TooLarge
from bridge.event import JsonObject
from bridge.foreign import form_fields, holds_more_values, moment, name_of, parse_json, present, text, value_at
from bridge.intake import Fingerprint
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, fingerprint_key, unknown_type
from bridge.settings import TimeZone

TYPES = {"peer_created": "peer.created", "peer_updated": "peer.updated", "peer_deleted": "peer.deleted"}

FORM = b"application/x-www-form-urlencoded"
FIELDS = 1000  # of a form: six are sent
PEERS = 100_000  # of a request: what `limits.elements` lets through is asked when each has become an element
REPEATED_SIZE = 32 * 2**20  # bytes of all elements together, without their peers: 150 of each are sent
REPEATED_WITHIN = 3600.0  # seconds: five tries, each of 10 s at most, take less than two minutes


class WGDashboardConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES

    panel: Literal["wgdashboard"] = Field(description="WGDashboard")
    timezone: TimeZone = Field("UTC", description="the zone of the panel's times, which name none, as Europe/Berlin")

    def open(self) -> "WGDashboardPanel":
        return WGDashboardPanel(self)


class WGDashboardPanel(Panel[WGDashboardConfig]):
    paste: ClassVar[tuple[str, ...]] = ("POST {url}", "Authorization: Bearer {secret}")

    def __init__(self, config: WGDashboardConfig) -> None:
        super().__init__(config)
        self._zone = ZoneInfo(config.timezone)

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(*hook.plain_secrets())

    def elements(self, hook: Hook) -> Sequence[Any]:
        """A request for each of the peers, with nothing but that peer in it; the request itself where it lists none."""
        body = _body(hook)
        if not (peers := _peers(body)):
            return [body]
        beside = {key: value for key, value in body.items() if key != "peers"}
        if len(dump(beside)) * len(peers) > REPEATED_SIZE:
            raise TooLarge(f"what stands beside the peers is too much to be told of each of {len(peers)}")
        return [{**deepcopy(beside), "peers": [peer]} for peer in peers]

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        named = text(value_at(element, "webhook_session"))
        return Fingerprint(fingerprint_key(element, index), within=REPEATED_WITHIN) if named else None

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        action, listed = text(element.get("action")) or UNNAMED, element.get("peers")
        key = name_of(listed[0]) if isinstance(listed, list) and listed else None
        peer = present(key=key, interface=text(element.get("configuration")))
        return ParsedEvent(
            type=TYPES.get(action) or unknown_type("wgdashboard", action),
            native_type=action,
            subject=f"peer:{key}" if key else None,
            data=present(peer=peer),
            occurred_at=moment(element.get("time"), self._zone),
        )


def _body(hook: Hook) -> JsonObject:
    if (hook.header("Content-Type") or b"").lower().startswith(FORM):
        if not (body := form_fields(hook.body, most=FIELDS)):
            raise BadPayload("the form has no fields")
        return {**body}
    value = parse_json(hook.body)
    if not isinstance(value, dict):
        raise BadPayload("the body is no JSON object")
    return value


def _peers(body: JsonObject) -> list[Any]:
    """The peers, listed or as JSON text; empty where neither stands there."""
    peers = body.get("peers")
    if isinstance(peers, str):
        peers = _listed(peers.encode())
    if not isinstance(peers, list):
        return []
    if len(peers) > PEERS:
        raise _too_many()
    return peers


def _listed(written: bytes) -> Any:
    """What stands in a field as JSON text, None where it is none."""
    if holds_more_values(written, PEERS):
        raise _too_many()
    try:
        return parse_json(written)
    except BadPayload:
        return None


def _too_many() -> TooLarge:
    return TooLarge(f"the body holds more than {PEERS} peers")
