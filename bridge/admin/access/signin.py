"""Signing in and out, and what somebody likes: the pages that are open to who has not said who they are."""

import math
from collections.abc import Callable

from aiohttp import web

from bridge.admin import answers
from bridge.admin.access.auth import Authenticator, Role
from bridge.admin.access.guard import Guard, form_of
from bridge.admin.answers import RequestRefused
from bridge.admin.pages import PAGES
from bridge.admin.site import LANGUAGE, THEME, THEMES, Site, own_page
from bridge.admin.state import ConfigState
from bridge.counters import COUNTERS
from bridge.messages.catalog import LOCALES

PAGE = "login.html"
LONGEST = 4096  # bytes of a form with a token
YEAR = 365 * 86400


class SignIn:
    """The handlers."""

    def __init__(self, site: Site, guard: Guard, state: Callable[[], ConfigState]) -> None:
        self._site, self._guard, self._state = site, guard, state

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self.show),
            web.post("/login", self.sign_in),
            web.post("/logout", self.sign_out),
            web.post("/preferences", self.prefer),
            web.get("/healthz", self.healthz),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        if self._guard.who(request) is not None:
            return self._onward(request.query.get("next", ""))
        return self._page(request, 200, request.query.get("next", ""))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """A token for a session. There is no session yet that a form could carry the token of."""
        self._guard.check_origin(request)
        form = await _short_form(request)
        token, onward = form.get("token", ""), form.get("next", "")
        try:
            self._guard.try_token(request, token)
        except RequestRefused as refused:
            COUNTERS.sign_ins["limited" if refused.retry_after else "wrong"] += 1
            return self._page(request, refused.status, onward, wait=refused.retry_after)
        COUNTERS.sign_ins["ok"] += 1
        response, cookie = self._onward(onward), self._guard.auth.sign_in(token)
        if cookie is not None:
            set_session(response, self._guard.auth, cookie)
        return response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        who = self._guard.let_in(request, Role.OWN)
        await self._guard.check_form(request, who)
        if who.nonce:
            self._guard.auth.sign_out(who)
        response = answers.see(f"{self._prefix}/login")
        auth = self._guard.auth
        response.del_cookie(auth.cookie, path="/", secure=auth.is_secure, httponly=True, samesite="Strict")
        return response

    async def prefer(self, request: web.Request) -> web.StreamResponse:
        """Keep a theme or a language in the browser; nothing else changes."""
        self._guard.check_origin(request)
        form = await _short_form(request)
        onward = form.get("next", "")
        response = answers.see(f"{self._prefix}/login") if onward == "/login" else self._onward(onward)
        for name, value, known in ((THEME, form.get("theme"), THEMES), (LANGUAGE, form.get("language"), LOCALES)):
            if value in known:
                response.set_cookie(
                    name, value, max_age=YEAR, path="/", samesite="Lax", secure=self._guard.auth.is_secure
                )
        return response

    async def healthz(self, _: web.Request) -> web.StreamResponse:
        """The admin side answers."""
        return web.json_response({"status": "ok"})

    def _onward(self, address: str) -> web.Response:
        return answers.see(self._prefix + (address if own_page(address) else PAGES[0].path))

    def _page(self, request: web.Request, status: int, onward: str, *, wait: float | None = None) -> web.StreamResponse:
        """The form, and what was wrong: the same words for every wrong token."""
        variables = {
            "onward": onward if own_page(onward) else "",
            "wrong": status == 401,
            "wait": math.ceil(wait) if wait is not None else None,
            "client": self._guard.address(request),
        }
        response = answers.page(self._site.drawn(request, PAGE, None, variables), status)
        if wait is not None:
            response.headers["Retry-After"] = str(math.ceil(wait))
        return response

    @property
    def _prefix(self) -> str:
        return self._state().admin.prefix()


def set_session(response: web.StreamResponse, auth: Authenticator, value: str) -> None:
    """Give the session to the browser, until that is closed."""
    response.set_cookie(auth.cookie, value, path="/", httponly=True, samesite="Strict", secure=auth.is_secure)


async def _short_form(request: web.Request) -> dict[str, str]:
    """What was filled in; raise RequestRefused where that is more than a token."""
    if request.content_length is None or request.content_length > LONGEST:
        raise RequestRefused(413, "the form is too big")
    return await form_of(request)
