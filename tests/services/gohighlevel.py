"""HighLevel's inbound triggers, contacts/upsert, tags and custom fields, as strict as the real ones.

Beside them stands an endpoint of somebody else's that takes the documented body.

Source   tests/contracts/gohighlevel.contacts-upsert.schema.json, orbvpn.gohighlevel-webhook.schema.json
         github.com/GoHighLevel/highlevel-api-docs, apps/locations.json: GET /locations/{locationId}/customFields
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.known import SECRET, House, Known, Pace, Way
from tests.services.service import Service, breaches, contract, parsed

TOKEN, LOCATION = "pit-01234567-89ab-cdef-0123-456789abcdef", "ve9EPM428h8vShlRW1KT"
TRIGGER = f"/hooks/{LOCATION}/webhook-trigger/5b2b6a6e-3f10-4a5e-8c7e-0d3f6f5b7a11"

INBOUND = "/crm/inbound"  # an endpoint of somebody else's, which wants TOKEN as its key
#: The documented custom fields as a location has them: id → key, and type.
FIELDS = {
    "f-user": ("user_id", "TEXT"),
    "f-group": ("subscription_group", "SINGLE_OPTIONS"),
    "f-status": ("subscription_status", "TEXT"),
    "f-expires": ("subscription_expiresat", "DATE"),
}


class GoHighLevel(Service):
    """`contacts`: id → the contact, with its tags; `published`: whether the trigger is live.

    `fields`: the custom fields of the location, id → key and type; `asked`: how often it was asked for them.
    `scopes`: whether the token may read them.
    `fault`: status and message of what is wrong with the location.
    `limited`: 100 requests in 10 s for the location, by whichever way.
    """

    def __init__(self, *, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.published = True
        self.fault: tuple[int, str] | None = None
        self.contacts: dict[str, dict[str, Any]] = {}
        self.fields: dict[str, tuple[str, str]] = dict(FIELDS)
        self.scopes = True
        self.asked = 0

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        value = parsed(body)
        if self._limited and self.over("location", 100, 10.0) > 0:
            return self._error(429, "Too Many Requests", "Too Many Requests")
        if self.fault:
            return self._error(*self.fault, "Error")
        if request.path.startswith("/hooks/"):
            return self._triggered(request, value)
        if request.path == INBOUND:
            return self._posted(request, value)
        if "Version" not in request.headers:
            return self._error(401, "version header was not found.", "Unauthorized")
        if request.headers["Version"] not in ("2021-07-28", "v3"):
            return self._error(401, "version header is invalid", "Unauthorized")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._error(401, "Invalid token: access token is invalid", "Unauthorized")
        if request.method == "GET":
            return self._listed(request, body)
        if not isinstance(value, dict):
            return self._error(400, "Unexpected token in JSON", "Bad Request")
        if request.path == "/contacts/upsert":
            return self._upserted(request, value)
        if match := re.fullmatch(r"/contacts/([^/]+)/tags", request.path):
            return self._tagged(request, match[1], value)
        return self._error(404, f"Cannot POST {request.path}", "Not Found")

    def _triggered(self, request: web.Request, value: Any) -> web.Response:
        if not self.published or request.path != TRIGGER:
            self.refuse("not published")
            return web.json_response({"status": "Success: test request received"})
        if isinstance(value, list):
            return self._error(400, "an array is no contact", "Bad Request")
        if faults := breaches(contract("orbvpn.gohighlevel-webhook"), value):
            return self._error(400, faults, "Bad Request")
        self.take(request, value)
        return web.json_response(
            {"status": "Success: request sent to trigger execution server", "id": f"trigger-{len(self.taken)}"}
        )

    def _posted(self, request: web.Request, value: Any) -> web.Response:
        """What somebody's own endpoint says to the documented body; it has no shape of HighLevel's."""
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.refuse("401")
            return web.Response(status=401)
        if faults := breaches(contract("orbvpn.gohighlevel-webhook"), value):
            self.refuse(str(faults))
            return web.Response(status=400, text=str(faults))
        self.take(request, value)
        return web.Response(status=204)

    def _listed(self, request: web.Request, body: bytes) -> web.Response:
        if not body and re.fullmatch("/locations/[^/]+", request.path):
            return self._told(request)
        if body or request.path != f"/locations/{LOCATION}/customFields":
            return self._error(404, f"Cannot GET {request.path}", "Not Found")
        self.asked += 1
        if not self.scopes:
            return web.json_response(
                {"statusCode": 401, "message": "The token is not authorized for this scope."},
                status=401,
                headers=self._headers(),
            )
        fields = [
            {"id": id_, "name": key, "fieldKey": f"contact.{key}", "dataType": type_, "locationId": LOCATION}
            for id_, (key, type_) in self.fields.items()
        ]
        return web.json_response({"customFields": fields, "traceId": "t"}, headers=self._headers())

    def _told(self, request: web.Request) -> web.Response:
        """What it says of a location."""
        if not self.scopes:
            return self._error(401, "The token is not authorized for this scope.", "Unauthorized")
        if request.path != f"/locations/{LOCATION}":
            return self._error(403, "The token does not have access to this location.", "Forbidden")
        return web.json_response({"location": {"id": LOCATION, "name": "Fra VPN"}}, headers=self._headers())

    def _upserted(self, request: web.Request, value: dict[str, Any]) -> web.Response:
        if not (value.get("email") or value.get("phone")):
            return self._error(400, "Pass at least one of number, email query parameter", "Bad Request")
        if value.get("locationId") != LOCATION:
            return self._error(403, "The token does not have access to this location.", "Forbidden")
        if faults := breaches(contract("gohighlevel.contacts-upsert"), value):
            return self._error(422, faults, "Unprocessable Entity")
        if faults := list(_contact_faults_beside(value)):
            return self._error(422, faults, "Unprocessable Entity")
        if faults := [one["id"] for one in value.get("customFields", ()) if one["id"] not in self.fields]:
            return self._error(422, [f"custom field {one} does not exist" for one in faults], "Unprocessable Entity")
        self.take(request, value)
        key = f"contact-{value.get('email') or value.get('phone')}".replace("@", "-at-")
        new = key not in self.contacts
        contact = self.contacts.setdefault(key, {"id": key, "tags": []})
        contact.update(value, tags=value.get("tags", contact["tags"]))
        return web.json_response({"new": new, "contact": contact, "traceId": "t"}, headers=self._headers())

    def _tagged(self, request: web.Request, contact: str, value: dict[str, Any]) -> web.Response:
        tags = value.get("tags")
        if contact not in self.contacts:
            return self._error(400, f"Contact not found for id: {contact}", "Bad Request")
        if (
            not isinstance(tags, list)
            or not tags
            or set(value) != {"tags"}
            or not all(isinstance(t, str) and t for t in tags)
        ):
            return self._error(422, ["each value in tags must be a string"], "Unprocessable Entity")
        self.take(request, value)
        kept = self.contacts[contact]["tags"]
        kept += [tag for tag in tags if tag not in kept]
        return web.json_response({"tags": kept, "tagsAdded": tags, "traceId": "t"}, status=201, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Max": "100",
            "X-RateLimit-Remaining": "99",
            "X-RateLimit-Interval-Milliseconds": "10000",
            "X-RateLimit-Limit-Daily": "200000",
            "X-RateLimit-Daily-Remaining": "199999",
        }

    def _error(self, status: int, message: Any, error: str) -> web.Response:
        self.refuse(f"{status} {message}")
        said = {"statusCode": status, "message": message, "error": error}
        return web.json_response(said, status=status, headers=self._headers())


def _contact_faults_beside(contact: dict[str, Any]) -> Iterator[str]:
    """What the API has against a contact that the contract does not say: by its list of countries, and by what is an
    address or a number."""
    if contact.get("country", "US") in ("UK", "XX", "EU", "SS", "ZZ"):
        yield "country must be a valid enum value"
    if not re.fullmatch(r"[^@\s]+@([A-Za-z0-9-]+\.)+([A-Za-z]{2,}|xn--[A-Za-z0-9-]+)", contact.get("email", "a@b.cd")):
        yield "email must be an email"
    if not re.fullmatch(r"\+[1-9][0-9 ()-]{6,20}|[0-9][0-9 ()-]{5,20}", contact.get("phone", "+18888888888")):
        yield "phone must be a phone number"


def _trigger_faults(request: Request, events: Sequence[Event]) -> list[str]:
    return breaches(contract("orbvpn.gohighlevel-webhook"), parsed(request.body))


def _contact_faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    body = parsed(request.body)
    if "email" in body or "phone" in body:  # or it is not sent
        yield from breaches(contract("gohighlevel.contacts-upsert"), body)
        yield from _contact_faults_beside(body)


KNOWN = Known(
    example={"api_key": SECRET, "location_id": "loc"},
    secretive=(
        {"url": f"https://crm.example/hooks/{SECRET}/webhook-trigger/{SECRET}"},
        {"url": f"https://crm.example/{SECRET}"},
        {"url": "https://crm.example/in", "api_key": SECRET},
    ),
    ways={
        "trigger": Way(
            settings={"url": "https://crm.example/hooks/loc/webhook-trigger/1"},
            faults=_trigger_faults,
        ),
        "endpoint": Way(
            settings={"url": "https://crm.example/in", "api_key": "k-1", "location_id": "loc"},
            faults=_trigger_faults,
        ),
        "contacts": Way(
            settings={
                "api_key": "pit-1",
                "location_id": "loc",
                "custom_fields": {"f1": "{{ data.user.username }}"},
            },
            faults=_contact_faults,
        ),
    },
    house=House(
        name="crm",
        stand_in=lambda limited: GoHighLevel(limited=limited),
        sinks={
            "trigger": {"url": f"{{base}}{TRIGGER}"},
            "crm": {"api_key": TOKEN, "location_id": LOCATION, "api_base": "{base}"},
        },
        secrets=(TOKEN,),
    ),
    pace=Pace(stand_in=lambda: GoHighLevel(limited=True), path=TRIGGER, body={}, count=100),
)
