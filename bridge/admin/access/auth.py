"""Who may look and who may act: tokens for programs, sessions made of them for people.

A session is a signed cookie and nothing else: it holds on every replica, and ends when its token is changed. Only which
ones were signed out is remembered here, until they would have ended by themselves.
"""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.admin.settings import AdminSettings
from bridge.people.owner import Owner
from bridge.value import Value, replace

if TYPE_CHECKING:
    from itsdangerous import TimestampSigner

IDLE = 1800.0  # seconds without a request that end a session
RENEWED_AFTER = 60.0  # seconds after which a request gets its cookie anew
AHEAD = 300.0  # seconds that a clock may have been set back
SIGNED_OUT = 1000  # sessions that are remembered as ended


class Role(IntEnum):
    """What somebody may do; who may act may look as well."""

    OWN = 0  # an owner: looks at what is theirs, and at nothing else
    LOOK = 1
    ACT = 2


class Principal(Value):
    """Who asks.

    by     token, session, or open where no token is asked for
    nonce  of the session, empty without one
    renew  what the session's cookie becomes, where it is time
    owner  whose events alone they see, where they are an owner
    """

    role: Role
    by: str
    nonce: str = ""
    renew: str | None = None
    owner: Owner | None = None

    def may(self, role: Role) -> bool:
        return self.role >= role


class Authenticator:
    """Says who somebody is, from what they have. `now` gives seconds since 1970."""

    def __init__(self, settings: AdminSettings, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._own_key = secrets.token_bytes(32)  # for forms of whoever comes without a session
        self._signed_out: OrderedDict[str, None] = OrderedDict()
        self.configure(settings)

    def configure(self, settings: AdminSettings) -> None:
        """From now on by these settings; sessions of a token that is gone are over."""
        self._settings = settings
        roles = ((Role.ACT, settings.token), (Role.LOOK, settings.read_token))
        self._tokens: list[tuple[Role, Owner | None, bytes]] = [
            (role, None, one.get_secret_value().encode()) for role, tokens in roles for one in tokens
        ]
        self._tokens += [(Role.OWN, owner, one.get_secret_value().encode()) for owner, one in settings.owned_tokens()]

    @property
    def cookie(self) -> str:
        """What the session's cookie is called: a browser keeps a __Host- one to this host, and to https."""
        return "__Host-pb" if self.is_secure else "pb"

    @property
    def is_secure(self) -> bool:
        """Whether people come by https, and its cookies stay there."""
        return self._settings.is_https()

    def is_open(self) -> bool:
        return self._settings.is_open()

    def role_of(self, token: str) -> Role | None:
        """The role that a token gives, in the same time whichever it is and however wrong."""
        who = self.who_has(token)
        return None if who is None else who.role

    def who_has(self, token: str) -> Principal | None:
        """Who comes with a token, in the same time whichever it is and however wrong."""
        given, found = sha256(token.encode("utf-8", "surrogatepass")).digest(), None
        for role, owner, one in self._tokens:
            if hmac.compare_digest(given, sha256(one).digest()) and (found is None or role > found.role):
                found = Principal(role, "token", owner=owner)
        return found

    def sign_in(self, token: str) -> str | None:
        """The value of a new session's cookie; None where that is not the token."""
        if self.role_of(token) is None:
            return None
        payload = f"{secrets.token_urlsafe(18)}.{int(self._now())}"
        return self._signer(token.encode()).sign(payload).decode()

    def session(self, cookie: str) -> Principal | None:
        """Whose session it is; None where it is over, or never was one."""
        for role, owner, token in self._tokens:
            if (found := self._session(cookie, role, self._signer(token))) is not None:
                return replace(found, owner=owner)
        return None

    def sign_out(self, who: Principal) -> None:
        """From now on the session is over, on this replica also for who has copied its cookie."""
        self._signed_out[who.nonce] = None
        if len(self._signed_out) > SIGNED_OUT:
            self._signed_out.popitem(last=False)

    def form_token(self, who: Principal) -> str:
        """What a form of theirs has to carry, so that no other site can have sent it."""
        return hmac.new(self._own_key if not who.nonce else self._form_key(), who.nonce.encode(), sha256).hexdigest()

    def is_form_token(self, who: Principal, token: str) -> bool:
        return hmac.compare_digest(self.form_token(who).encode(), token.encode("utf-8", "surrogatepass"))

    def _session(self, cookie: str, role: Role, signer: "TimestampSigner") -> Principal | None:
        from itsdangerous import BadData

        try:
            payload, signed = signer.unsign(cookie, return_timestamp=True)
            nonce, _, began = payload.decode().rpartition(".")
            age, idle = self._now() - int(began), self._now() - signed.timestamp()
        except (BadData, ValueError):
            return None
        if not (-AHEAD <= age <= self._settings.session and -AHEAD <= idle <= IDLE) or nonce in self._signed_out:
            return None
        renew = signer.sign(payload).decode() if idle > RENEWED_AFTER else None
        return Principal(role, "session", nonce, renew)

    def _signer(self, token: bytes) -> "TimestampSigner":
        from bridge.admin.access.signing import Signer  # who signs nobody in does not pay for it

        return Signer(_derived(token, b"panelbridge session"), self._now)

    def _form_key(self) -> bytes:
        """One that all replicas have: of the tokens that may act, the first."""
        return _derived(self._tokens[0][-1] if self._tokens else self._own_key, b"panelbridge form")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    """A key for one purpose: HKDF-SHA256 (RFC 5869) with no salt, one block of it."""
    extracted = hmac.new(bytes(32), secret, sha256).digest()
    return hmac.new(extracted, purpose + b"\x01", sha256).digest()
