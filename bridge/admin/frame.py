"""The frame: templates, and what all of them know. Imported when the first page is asked for."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Macro
from markupsafe import Markup

from bridge import __version__
from bridge.admin.actions import NOTICES
from bridge.admin.dead_letters import COUNTED
from bridge.admin.language import N_, Language, language
from bridge.admin.pages import PAGES, Page
from bridge.admin.pages.acted import actor
from bridge.admin.static_files import hashed
from bridge.admin.wording.isolates import apart
from bridge.clock import in_zone
from bridge.event import iso
from bridge.messages.catalog import LANGUAGES, catalog
from bridge.people.announcement import ANNOUNCEMENT
from bridge.telemetry import CONTROLS
from bridge.value import Value
from bridge.vocabulary import TYPES

FOLDER = Path(__file__).parent / "pages"
MARKS = "_marks.html"  # macros that every template knows
#: The blocks of pages that are shown alone: what is drawn anew by itself, and what a page answers that asks.
LIVE, ANSWER = "live", "answer"
#: What could turn the writing round or hide in it: what panels and services say is not trusted.
_CONTROL = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f{CONTROLS}]")


class Frame(Value):
    """What stands around a page.

    prefix     what all paths begin with
    form_token what a form carries
    theme      auto, light or dark
    address    of the page itself, with its query
    live       where its stream is, empty where it stands still
    notice     what was done before, a word of NOTICES
    has_customers  whether the file tells customers anything
    dead       how many dead letters there are to look at, as far as they are counted
    """

    language: Language
    zone: ZoneInfo
    now: datetime
    prefix: str
    form_token: str
    may_act: bool
    signed_in: bool
    has_session: bool
    is_owner: bool
    theme: str
    address: str = ""
    live: str = ""
    notice: str = ""
    page: Page | None = None
    has_customers: bool = False
    dead: int = 0


def render(template: str, frame: Frame, variables: Mapping[str, object], *, only_live: bool = False) -> str:
    """The page; with `only_live` its live block alone, or its answer; the whole of it where it has neither."""
    environment = _environment(frame.language.code)
    found, framed = environment.get_template(template), _frame_variables(frame)
    macros = vars(environment.get_template(MARKS).make_module(framed))
    everything = {**{name: one for name, one in macros.items() if isinstance(one, Macro)}, **framed, **variables}
    if only_live and (block := found.blocks.get(LIVE) or found.blocks.get(ANSWER)) is not None:
        return "".join(block(found.new_context(everything)))
    return found.render(everything)


def _frame_variables(frame: Frame) -> dict[str, object]:
    return {
        "frame": frame,
        "language": frame.language,
        "languages": LANGUAGES,
        "navigation": _navigation(frame),
        "notice": frame.language.say(NOTICES[frame.notice]) if frame.notice in NOTICES else "",
        "version": __version__,
        "url": lambda path: frame.prefix + path,
        "static": lambda name: frame.prefix + hashed(name),
        "time": lambda at: _time(at, frame.zone, frame.now),
        "actor": lambda who: actor(frame.language, who),
        "title_of": lambda type_: event_title(frame.language, type_),
    }


def _navigation(frame: Frame) -> Sequence[Mapping[str, Any]]:
    here = frame.page.under or frame.page.name if frame.page is not None else ""
    return [
        {
            "page": one,
            "title": frame.language.say(one.title),
            "current": one.name == here,
            "count": _count(frame.dead) if one.name == "dead" else "",
        }
        for one in PAGES
        if one.title is not None and (one.owned or not frame.is_owner) and (frame.has_customers or not one.customers)
    ]


def _count(number: int) -> str:
    """The number beside a page's name; nothing where there is none."""
    return f"{COUNTED}+" if number > COUNTED else str(number or "")


def event_title(language: Language, type_: str) -> str:
    """What a type of event is called in messages; itself where it has no title."""
    if type_ == ANNOUNCEMENT:
        return language.say(N_("Announcement"))
    known = TYPES.get(type_)
    return catalog(language.code).gettext(known.title) if known is not None else type_


def visible(value: object) -> object:
    """A text with what nobody can see in it shown as `�`; whatever else as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _CONTROL.sub("�", value)


def _time(at: datetime | None, zone: tzinfo, now: datetime) -> Markup:
    """A moment in the zone: the time alone where it is today, and in full where one points at it."""
    if at is None:
        return Markup("")
    local, today = in_zone(at, zone), in_zone(now, zone).date()
    shown = f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"
    whole = f"{local:%Y-%m-%d %H:%M:%S} {local.tzinfo} · {at.astimezone(UTC):%H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}" dir="ltr">{}</time>').format(iso(at), whole, shown)


@cache
def _environment(code: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=visible,
        extensions=["jinja2.ext.i18n"],
    )
    words = language(code).catalog
    environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["apart"] = lambda sentence: apart(sentence, visible)
    environment.filters["amount"] = lambda number: f"{number:,}"
    return environment
