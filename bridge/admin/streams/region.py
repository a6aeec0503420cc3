"""A region: the part of a page that lives, as all who look at the same see it, and where its stream is."""

import secrets
from urllib.parse import urlencode

from aiohttp import web

from bridge.admin.access.auth import Role
from bridge.admin.pages import Page
from bridge.value import Value

LIVE = "/live"  # what the path of a stream begins with; the page's own follows
#: Stands in a region where the token of a form belongs, which is each session's own. Nobody can know it.
TOKEN_TO_BE = secrets.token_hex(32)

AddressParts = tuple[tuple[str, str], ...]


class Region(Value):
    """
    path   what the `{…}` of the page's path are
    query  of the page's query, what says what stands there
    role   what those who look may do: their buttons are in it
    """

    page: Page
    path: AddressParts
    query: AddressParts
    language: str
    role: Role


def region_of(page: Page, request: web.Request, language: str, role: Role) -> Region:
    """What a request means for a page that lives."""
    return Region(page, tuple(sorted(request.match_info.items())), _query(page, request), language, role)


def stream_path(page: Page, request: web.Request, prefix: str) -> str:
    """Where the stream of the page is that was asked for; empty where it stands still."""
    if page.live is None or any(request.query.get(name) for name in page.still):
        return ""
    path = prefix + LIVE + request.rel_url.raw_path.removeprefix(prefix)
    query = _query(page, request)
    return f"{path}?{urlencode(query)}" if query else path


def _query(page: Page, request: web.Request) -> AddressParts:
    assert page.live is not None
    return tuple((name, value) for name in sorted(page.live) if (value := request.query.get(name)))
