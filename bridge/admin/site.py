"""The pages, drawn: for a request, what its view finds, in the frame that whoever asks gets."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from bridge.admin.answers import Refused
from bridge.admin.auth import Authenticator, Who
from bridge.admin.language import chosen_language, language
from bridge.admin.pages import PAGES, Page
from bridge.admin.reading import Reading
from bridge.admin.state import ConfigState
from bridge.admin.visit import Visit
from bridge.errors import BridgeError
from bridge.store.ledger import Ledger

if TYPE_CHECKING:
    from bridge.admin.frame import Frame
    from bridge.admin.tried import SentTest

THEMES = ("auto", "light", "dark")
THEME, LANGUAGE = "pb_theme", "pb_lang"
REFUSED = "refused.html"
_OWN_PAGE = re.compile("|".join(["/", *(re.sub(r"\{\w+\}", r"[\\w.-]+", page.path) for page in PAGES)]))
_QUERY = re.compile(r"[\w.~%&=+:*-]*", re.ASCII)


class Site:
    """Draws pages. `state` gives the file as it is in force, `tests` the last test of each sink."""

    def __init__(
        self,
        reading: Reading,
        auth: Authenticator,
        state: Callable[[], ConfigState],
        now: Callable[[], datetime],
        tests: "Mapping[str, SentTest]",
    ) -> None:
        self._reading, self._auth, self._state, self._now, self._tests = reading, auth, state, now, tests

    async def page(self, request: web.Request, page: Page, who: Who) -> str:
        """What is at the page's address; raise NotThere where there is nothing, StoreError where it cannot be read."""
        state, frame, partial = self._state(), self.frame(request, who, page), "HX-Request" in request.headers
        query, path, form = dict(request.query), dict(request.match_info), await form_of(request)

        def look(ledger: Ledger) -> str:
            from bridge.admin.frame import render
            from bridge.admin.pages.views import VIEWS

            visit = Visit(
                ledger=ledger,
                state=state,
                who=who,
                language=frame.language,
                now=frame.now,
                query=query,
                path=path,
                form=form,
                tests=self._tests,
            )
            return render(f"{page.name}.html", frame, VIEWS[page.name](visit), only_live=partial)

        return await self._reading.run(look)

    def drawn(self, request: web.Request, template: str, who: Who | None, variables: Mapping[str, object]) -> str:
        """A page that needs nothing of the store."""
        from bridge.admin.frame import render

        return render(template, self.frame(request, who), variables)

    def refused(self, request: web.Request, refused: Refused, who: Who | None) -> str:
        """What is shown in the place of a page."""
        return self.drawn(request, REFUSED, who, {"refused": refused})

    def sign_in_path(self, request: web.Request) -> str:
        """Where to sign in, and to come back from."""
        prefix = self._state().admin.prefix()
        wanted = request.rel_url.path_qs.removeprefix(prefix)
        return f"{prefix}/login" + (f"?{urlencode({'next': wanted})}" if wanted != "/" and own_page(wanted) else "")

    def frame(self, request: web.Request, who: Who | None, page: Page | None = None) -> "Frame":
        from bridge.admin.frame import Frame

        state, theme = self._state(), request.cookies.get(THEME, "")
        code = chosen_language(request.cookies.get(LANGUAGE), request.headers.get("Accept-Language", ""), state.locale)
        return Frame(
            language=language(code),
            zone=state.zone,
            now=self._now(),
            prefix=state.admin.prefix(),
            form_token=self._auth.form_token(who) if who is not None else "",
            may_act=who is not None and who.role > 1,
            signed_in=who is not None,
            has_session=who is not None and who.by == "session",
            theme=theme if theme in THEMES else THEMES[0],
            address=request.rel_url.path_qs,
            notice=request.query.get("done", ""),
            page=page,
        )


async def form_of(request: web.Request) -> dict[str, str]:
    """The texts of the form that was sent along."""
    return {name: one for name, one in (await request.post()).items() if isinstance(one, str)}


def own_page(address: str) -> bool:
    """Whether it is one of our pages, and nothing that a browser takes for an address elsewhere."""
    path, _, query = address.partition("?")
    return bool(_OWN_PAGE.fullmatch(path) and _QUERY.fullmatch(query))


def not_found(error: BridgeError) -> Refused:
    return Refused(404, "there is nothing here", str(error))
