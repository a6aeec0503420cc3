"""Who is let through to what: the host that is asked, who asks, and whether a form is one of ours.

Host        before anything else, or a page of somebody else's whose name leads here could ask in a browser's name
Programs    Authorization: Bearer, judged by it alone, whatever cookie comes along
People      the session's cookie; what changes anything has to come from a page of ours, and carry its token
"""

import logging
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from aiohttp import web

from bridge.admin.access.auth import Authenticator, Principal, Role
from bridge.admin.access.client import client_address
from bridge.admin.access.lockout import Lockout
from bridge.admin.answers import RequestRefused
from bridge.admin.settings import AdminSettings
from bridge.ingress.connections import PROVEN
from bridge.telemetry import Throttle, log

LOG = logging.getLogger("bridge.admin")
WHO = web.RequestKey("who", Principal)
SAFE = ("GET", "HEAD")
FORM_TOKEN, FORM_HEADER = "form_token", "X-CSRF-Token"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
UNKNOWN_TOKEN = "That is not the token."  # noqa: S105 the words, not a token
AdminHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Asks everybody. `address` is where the port is open, host:port."""

    def __init__(self, settings: AdminSettings, address: str, auth: Authenticator, lockout: Lockout) -> None:
        self.auth = auth
        self._address = address
        self._lockout = lockout
        self._refusals: Throttle[str] = Throttle()
        self.configure(settings)

    def configure(self, settings: AdminSettings) -> None:
        """From now on by these settings."""
        self._settings = settings
        self.auth.configure(settings)
        self._hosts = _hosts(settings, self._address)

    def check_host(self, request: web.Request) -> None:
        """Raise RequestRefused unless it was us that was asked."""
        asked = request.headers.getall("Host", ())
        if len(asked) != 1 or not (self._is_ours(request.host) or request.host == _own_address(request)):
            self.tell_refused(request, "host")
            raise RequestRefused(
                421, "this is not the address of the admin side", "What it is reached by stands in admin.url."
            )

    def who(self, request: web.Request) -> Principal | None:
        """Who asks; None where they have not said. Raise RequestRefused where they have, and wrongly."""
        if (given := request.headers.get("Authorization")) is not None:
            return self._bearer(request, given)
        if self.auth.is_open():
            return Principal(Role.ACT, "open")
        cookie = request.cookies.get(self.auth.cookie)
        return self.auth.session(cookie) if cookie else None

    def let_in(self, request: web.Request, role: Role) -> Principal:
        """Who asks, where they may do this; raise RequestRefused where not."""
        who = self.who(request)
        if who is None:
            raise RequestRefused(401, "sign in first")
        request[PROVEN], request[WHO] = True, who
        self.check_role(request, who, role)
        return who

    def is_still(self, request: web.Request, who: Principal) -> bool:
        """Whether who was let in would be let in still, with what they came with."""
        if who.by == "open":
            return self.auth.is_open()
        if who.by == "token":
            _, _, token = request.headers.get("Authorization", "").partition(" ")
            return self.auth.role_of(token.strip()) is who.role
        session = self.auth.session(request.cookies.get(self.auth.cookie, ""))
        return session is not None and session.role is who.role

    def check_role(self, request: web.Request, who: Principal, role: Role) -> None:
        """Raise RequestRefused where they may not do this."""
        if not who.may(role):
            self.tell_refused(request, "role")
            if who.owner is not None:
                raise nothing_here()
            raise RequestRefused(403, "this token may look, and change nothing")

    async def check_form(self, request: web.Request, who: Principal) -> None:
        """Raise RequestRefused unless what changes anything was sent by a page of ours."""
        if request.method in SAFE or who.by == "token":
            return
        self.check_origin(request)
        form = await form_of(request)
        token = request.headers.get(FORM_HEADER) or form.get(FORM_TOKEN)
        if token is None or not self.auth.is_form_token(who, token):
            self._refuse_form(request)

    async def check_program(self, request: web.Request, who: Principal) -> None:
        """The same where programs ask. Without a token they have none to show either; a browser says where it was."""
        if who.by != "open" or "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
            await self.check_form(request, who)

    def check_origin(self, request: web.Request) -> None:
        """Raise RequestRefused where the browser says that another site had it sent, or does not say which."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None:
            ours = site == "same-origin"
        else:
            ours = origin is not None and self._is_own_origin(request, origin)
        if not ours:
            self._refuse_form(request)

    def try_token(self, request: web.Request, token: str) -> Principal:
        """Who comes with a token; raise RequestRefused where it is none, or where it cannot be tried so soon."""
        address = self.address(request)
        if (wait := self._lockout.wait(address)) > 0:
            self.tell_refused(request, "tries")
            raise RequestRefused(429, "too many tries", address, retry_after=wait)
        if (who := self.auth.who_has(token)) is None:
            self._lockout.wrong(address)
            self.tell_refused(request, "token")
            raise RequestRefused(401, UNKNOWN_TOKEN)
        self._lockout.right(address)
        return who

    def address(self, request: web.Request) -> str:
        return client_address(request, self._settings.proxies)

    def tell_refused(self, request: web.Request, why: str) -> None:
        """Log it, never what was tried."""
        if (left_out := self._refusals.left_out(why)) is not None:
            address, repeated = self.address(request), left_out or None
            log(LOG, logging.WARNING, "admin.refused", address=address, why=why, repeated=repeated)

    def _is_ours(self, host: str) -> bool:
        return not self._hosts.isdisjoint(_authorities(host))

    def _is_own_origin(self, request: web.Request, origin: str) -> bool:
        try:
            host = urlsplit(origin).netloc
        except ValueError:  # what is no address is nobody's
            return False
        return self._is_ours(host) or host == _own_address(request)

    def _bearer(self, request: web.Request, given: str) -> Principal:
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer":
            raise RequestRefused(401, "programs say who they are by Authorization: Bearer")
        return self.try_token(request, token.strip())

    def _refuse_form(self, request: web.Request) -> NoReturn:
        self.tell_refused(request, "form")
        raise RequestRefused(403, "this was not sent by a page of the admin side", "Load the page anew, and try again.")


async def form_of(request: web.Request) -> dict[str, str]:
    """The texts of the form that was sent along; raise RequestRefused where it cannot be read."""
    try:
        return {name: one for name, one in (await request.post()).items() if isinstance(one, str)}
    except (ConnectionError, web.HTTPRequestEntityTooLarge):  # whoever sent it has gone, or sent too much
        raise
    except Exception:  # noqa: BLE001 what a form may be wrong in, the library raises as whatever it finds
        raise RequestRefused(400, "the form cannot be read") from None


def nothing_here() -> RequestRefused:
    """What is not there, and what is not theirs to know of: alike."""
    return RequestRefused(404, "there is nothing here")


def _hosts(settings: AdminSettings, address: str) -> frozenset[str]:
    """What a browser may have asked to come here, each with its port."""
    host, _, port = address.rpartition(":")
    own = [f"{host}:{port}"]
    if _is_any(host):
        own = []  # on all addresses nobody asks for that one; `url` says which name it is
    if _is_any(host) or not settings.is_reachable():
        own += [f"{one}:{port}" for one in LOCAL_HOSTS]
    return frozenset([*own, settings.authority()] if settings.url else own)


def _is_any(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _authorities(host: str) -> frozenset[str]:
    """Host and port, in small letters; the ports of both schemes where it names none."""
    lower = host.lower()
    has_port = ":" in lower.rpartition("]")[2]
    return frozenset([lower] if has_port else [f"{lower}:80", f"{lower}:443"])


def _own_address(request: web.Request) -> str:
    """Where the connection arrived, as a browser writes it: no name that leads elsewhere is written so."""
    host, port = (request.transport.get_extra_info("sockname") if request.transport else ("", 0))[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
