"""The pages, drawn: for a request, what its view finds, in the frame that whoever asks gets."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from bridge.admin.access.auth import Authenticator, Principal, Role
from bridge.admin.access.guard import form_of
from bridge.admin.answers import RequestRefused
from bridge.admin.language import Language, chosen_language, language
from bridge.admin.one_time import OneTimeStore
from bridge.admin.pages import PAGES, Page
from bridge.admin.reader_pool import ReaderPool
from bridge.admin.state import ConfigState
from bridge.admin.streams.region import TOKEN_TO_BE, Region, stream_path
from bridge.admin.visit import Visit
from bridge.admin.wording.not_found import NotThere
from bridge.errors import BridgeError, StoreError
from bridge.store.ledger import Ledger
from bridge.store.scope import OwnedLedger
from bridge.value import replace

if TYPE_CHECKING:
    from bridge.admin.frame import Frame
    from bridge.admin.trials.shapes import SentTest
    from bridge.admin.trouble import StoreTrouble

THEMES = ("auto", "light", "dark")
THEME, LANGUAGE = "pb_theme", "pb_lang"
REFUSED = "refused.html"
_OWN_PAGE = re.compile("|".join(["/", *(re.sub(r"\{\w+\}", r"[\\w.:%-]+", page.path) for page in PAGES)]))
_QUERY = re.compile(r"[\w.~%&=+:*-]*", re.ASCII)


class Site:
    """Draws pages. `state` gives the file as it is in force, `tests` the last test of each sink, `trouble` that of the
    store, `under_way` whether an errand of that name is. `once` has what the next page shows, and no other.
    """

    def __init__(
        self,
        reading: ReaderPool,
        auth: Authenticator,
        state: Callable[[], ConfigState],
        now: Callable[[], datetime],
        tests: "Mapping[str, SentTest]",
        trouble: "Callable[[], StoreTrouble | None]",
        under_way: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self.once, self._under_way = OneTimeStore(), under_way
        self._reading, self._auth, self._state, self._now = reading, auth, state, now
        self._tests, self._trouble = tests, trouble

    async def page(self, request: web.Request, page: Page, who: Principal) -> str:
        """What is at the page's address; raise NotThere where there is nothing, StoreError where it cannot be read."""
        frame, partial = self.frame(request, who, page), "HX-Request" in request.headers
        query, path, form = dict(request.query), dict(request.match_info), await form_of(request)
        return await self._draw(page, frame, who, query, path, form, only_live=partial)

    async def region(self, region: Region) -> str:
        """The live block of a page, for all who look at it, with TOKEN_TO_BE where a form has their token.

        Raise NotThere where there is nothing, StoreError where it cannot be read.
        """
        who = Principal(region.role, "stream")
        frame = self._frame(language(region.language), who, TOKEN_TO_BE, region.page)
        return await self._draw(region.page, frame, who, dict(region.query), dict(region.path), {}, only_live=True)

    async def _draw(
        self,
        page: Page,
        frame: "Frame",
        who: Principal,
        query: Mapping[str, str],
        path: Mapping[str, str],
        form: Mapping[str, str],
        *,
        only_live: bool,
    ) -> str:
        state, trouble = self._state(), self._trouble()

        def look(ledger: Ledger) -> str:
            from bridge.admin.frame import render

            if who.owner is not None:
                return _owned(page, frame, OwnedLedger(ledger, who.owner), state, query, path)
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
                trouble=trouble,
                once=self.once,
                under_way=self._under_way,
            )
            found = VIEWS[page.name](visit)
            return render(
                f"{page.name}.html", frame if only_live else _with_dead(frame, ledger), found, only_live=only_live
            )

        return await self._reading.run(look)

    def drawn(self, request: web.Request, template: str, who: Principal | None, variables: Mapping[str, object]) -> str:
        """A page that needs nothing of the store."""
        from bridge.admin.frame import render

        return render(template, self.frame(request, who), variables)

    def refused(self, request: web.Request, refused: RequestRefused, who: Principal | None) -> str:
        """What is shown in the place of a page."""
        detail = refused.sentence(self.language_of(request)) if refused.sentence else refused.detail
        return self.drawn(request, REFUSED, who, {"refused": refused, "detail": detail})

    def sign_in_path(self, request: web.Request) -> str:
        """Where to sign in, and to come back from."""
        prefix = self._state().admin.prefix()
        wanted = request.rel_url.path_qs.removeprefix(prefix)
        return f"{prefix}/login" + (f"?{urlencode({'next': wanted})}" if wanted != "/" and own_page(wanted) else "")

    def frame(self, request: web.Request, who: Principal | None, page: Page | None = None) -> "Frame":
        theme = request.cookies.get(THEME, "")
        token = self._auth.form_token(who) if who is not None else ""
        return replace(
            self._frame(self.language_of(request), who, token, page),
            theme=theme if theme in THEMES else THEMES[0],
            address=request.rel_url.path_qs,
            live=self._stream_of(page, request) if page is not None and who is not None and who.may(Role.LOOK) else "",
            notice=request.query.get("done", ""),
        )

    def _stream_of(self, page: Page, request: web.Request) -> str:
        return stream_path(page, request, self._state().admin.prefix())

    def language_of(self, request: web.Request) -> Language:
        """What whoever asks reads."""
        accepted = request.headers.get("Accept-Language", "")
        return language(chosen_language(request.cookies.get(LANGUAGE), accepted, self._state().locale))

    def _frame(self, words: Language, who: Principal | None, form_token: str, page: Page | None) -> "Frame":
        from bridge.admin.frame import Frame

        state = self._state()
        return Frame(
            language=words,
            zone=state.zone,
            now=self._now(),
            prefix=state.admin.prefix(),
            form_token=form_token,
            may_act=who is not None and who.may(Role.ACT),
            signed_in=who is not None,
            is_owner=who is not None and who.owner is not None,
            has_session=who is not None and who.by == "session",
            theme=THEMES[0],
            page=page,
            has_customers=bool(state.customers.sinks),
        )


def _with_dead(frame: "Frame", ledger: Ledger) -> "Frame":
    """With how many dead letters there are; without that where the store cannot be asked, which some pages bear."""
    from bridge.admin.dead_letters import count_dead

    try:
        return replace(frame, dead=count_dead(ledger))
    except StoreError:
        return frame


def _owned(
    page: Page,
    frame: "Frame",
    ledger: OwnedLedger,
    state: ConfigState,
    query: Mapping[str, str],
    path: Mapping[str, str],
) -> str:
    """The page as its owner has it: of the file it knows what kinds of services there are."""
    from bridge.admin.frame import render
    from bridge.admin.pages.owned import OWNED_VIEWS, OwnedVisit

    visit = OwnedVisit(
        ledger=ledger,
        language=frame.language,
        zone=frame.zone,
        now=frame.now,
        query=query,
        path=path,
        services={name: one.type for name, one in state.sinks.items()},
    )
    return render(f"owned_{page.name}.html", frame, OWNED_VIEWS[page.name](visit))


def own_page(address: str) -> bool:
    """Whether it is one of our pages, and nothing that a browser takes for an address elsewhere."""
    path, _, query = address.partition("?")
    return bool(_OWN_PAGE.fullmatch(path) and _QUERY.fullmatch(query))


def not_found(error: BridgeError) -> RequestRefused:
    sentence = error.sentence if isinstance(error, NotThere) else None
    return RequestRefused(404, "there is nothing here", str(error), sentence=sentence)
