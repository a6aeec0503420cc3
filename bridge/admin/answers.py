"""What the admin side answers beside its pages: refusals, redirects, and what stands in every head."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from bridge.admin.language import Language

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = "max-age=31536000"
#: The pattern of a request's path, where the router does not know it.
ROUTE = web.RequestKey("route", str)
#: When the request has to be answered.
DEADLINE = web.RequestKey("deadline", asyncio.Timeout)
FOREVER = "public, max-age=31536000, immutable"
VARY = "Cookie, Authorization, Accept-Language, HX-Request"


class RequestRefused(Exception):
    """A request that is not answered with what it asked for: `title` in a few words, `detail` in a sentence.

    errors   what is wrong with it, part by part: where, and what
    headers  what the answer has to say beside
    sentence the detail in another language, where it is known in all of them
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        retry_after: float | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        sentence: "Callable[[Language], str] | None" = None,
    ) -> None:
        self.status, self.title, self.detail, self.retry_after = status, title, detail, retry_after
        self.errors, self.headers, self.sentence = errors, headers or {}, sentence
        super().__init__(f"{title}: {detail}")


def headers_of(*, https: bool) -> Mapping[str, str]:
    """What stands in every head."""
    return {**HEADERS, **({"Strict-Transport-Security": HSTS} if https else {})}


def page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers={"Vary": VARY})


def problem(refused: RequestRefused) -> web.Response:
    """As RFC 9457 has it, for programs."""
    about = {"type": "about:blank", "title": refused.title, "status": refused.status, "detail": refused.detail}
    body = json.dumps({**about, **({"errors": list(refused.errors)} if refused.errors else {})}).encode()
    return web.Response(
        body=body, status=refused.status, content_type="application/problem+json", headers=refused.headers
    )


def see(path: str) -> web.Response:
    """Go on there, with GET."""
    return web.Response(status=303, headers={"Location": path})
