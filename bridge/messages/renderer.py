"""Rendering: an event and a sink's wishes become named blocks of text.

A template is a file of named blocks, `{service}/{name}.j2`. For `user.expired` these names are tried, each in the
operator's folders and then among the shipped ones: the row's `template`, `user.expired`, `user`, `base`. The shipped
ones can be reached past the operator's as `shipped/{service}/{name}.j2`, so that a template may extend the one that it
replaces.

Why block by block: a sink asks for the blocks of which its message is made, and nothing else is run. What stands at
the top of a template, before its first block, is run first: imports, `{% set %}`. Text between blocks says nothing.

A template that fails never loses the message: the shipped one speaks instead, and the fault is told beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, Template, TemplateNotFound, TemplateSyntaxError

from bridge.event import Event
from bridge.message import Look
from bridge.messages.catalog import RIGHT_TO_LEFT, catalog, known
from bridge.messages.environment import Sandbox
from bridge.messages.escape import TEXTS, Text
from bridge.messages.faces import KINDS, face
from bridge.messages.filters import RLM, Formats
from bridge.messages.mistakes import TemplateMistake as TemplateMistake
from bridge.messages.mistakes import mistakes_in, told
from bridge.messages.values import label
from bridge.taxonomy import documented_name

_BRIDGE = Path(__file__).parents[1]
#: In the wheel the shipped templates lie inside the package, in the repository beside it.
SHIPPED = _BRIDGE / "templates" if (_BRIDGE / "templates").is_dir() else _BRIDGE.parent / "templates"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The blocks that were asked for, and what went wrong on the way."""

    blocks: Mapping[str, str]
    fault: str | None = None


NOTHING = Rendered({})


class Renderer:
    """Speaks with the operator's templates in `folders`, the first one first, and with the shipped ones.

    Templates are read once: a new Renderer reads them anew.
    """

    def __init__(self, *, folders: Sequence[Path], timezone: ZoneInfo, locale: str) -> None:
        self._folders = tuple(folders)
        self._timezone = timezone
        self._locale = known(locale)
        self._sandbox = lru_cache(maxsize=None)(self._open)
        self._chosen = lru_cache(maxsize=1024)(self._choose)
        self._compiled = lru_cache(maxsize=256)(self._compile)

    def render(self, event: Event, look: Look, template: str | None = None) -> Rendered:
        """The blocks that `look` asks for; `template` is the one that the row names."""
        if not look.service and not look.inline:
            return NOTHING
        locale = known(look.locale) if look.locale else self._locale
        scope = self._scope(event, locale)
        faults: list[str] = []
        blocks = self._spoken(event, look, locale, template, scope, faults) if look.service else {}
        for name, source in look.inline:
            blocks[name] = self._inline(name, source, locale, scope, faults)
        return Rendered(blocks, "; ".join(faults) or None)

    def mistakes(self) -> list[TemplateMistake]:
        """Every template in the operator's folders that does not compile, or leads to one that is not there."""
        return [
            mistake
            for folder in self._folders
            for mistake in mistakes_in(folder, lambda service: self._sandbox(service, self._locale, False))
        ]

    def wrong(self, source: str) -> str | None:
        """What is wrong with an operator's own little template, None where it compiles."""
        try:
            self._compiled(source, self._locale)
        except (TemplateSyntaxError, RecursionError) as error:
            return told(error)
        return None

    def exists(self, service: str, name: str) -> bool:
        """Whether a row that leads to `service` may name the template `name`."""
        try:
            self._sandbox(service, self._locale, False).get_template(f"{service}/{name}.j2")
        except TemplateNotFound:
            return False
        except (TemplateSyntaxError, ValueError):
            return True  # it is there; `mistakes` says what is wrong with it
        return True

    def _spoken(
        self, event: Event, look: Look, locale: str, template: str | None, scope: dict[str, Any], faults: list[str]
    ) -> dict[str, str]:
        """The operator's words; where they fail the shipped ones; where those fail too, the bare facts."""
        names = _names(event.type)
        wanted = (template, *names) if template else names
        for shipped, tried in ((False, wanted), (True, names)):
            try:
                chosen, missing = self._chosen(look.service, locale, shipped, tried)
                if missing and missing == template:
                    faults.append(f"there is no template {look.service}/{template}.j2")
                return _blocks(chosen, look.blocks, scope)
            except Exception as error:  # noqa: BLE001 a template is the operator's program: it may raise anything
                faults.append(told(error))
        return _bare(event, look)

    def _inline(self, name: str, source: str, locale: str, scope: dict[str, Any], faults: list[str]) -> str:
        try:
            template = self._compiled(source, locale)
            return "".join(template.root_render_func(template.new_context(scope)))
        except Exception as error:  # noqa: BLE001 the operator's program too
            faults.append(f"{name}: {told(error)}")
            return ""

    def _scope(self, event: Event, locale: str) -> dict[str, Any]:
        """What templates can speak of."""
        gettext = catalog(locale).gettext
        shown = face(event.type)
        family = event.type.partition(".")[0]
        kind, colon, name = (event.subject or "").partition(":")
        kind = kind if colon else family
        title = gettext(shown.title)
        return {
            "event": event,
            "data": event.data,
            "type": event.type,
            "family": family,
            "subject": event.subject,
            "name": name if colon else event.subject,
            "who": _who(event, name if colon else event.subject),
            "kind": gettext(KINDS[kind]) if kind in KINDS else label(kind),
            "source": event.source,
            "panel": event.panel,
            "native": event.native,
            "native_type": event.native_type,
            "occurred_at": event.occurred_at.astimezone(self._timezone),
            "received_at": event.received_at.astimezone(self._timezone),
            "locale": locale,
            "emoji": shown.emoji,
            "title": title,
            "color": shown.color,
            "heading": documented_name(event.type) if locale == "en" else title,
            "rlm": RLM if locale in RIGHT_TO_LEFT else "",
        }

    def _open(self, service: str, locale: str, shipped: bool) -> Sandbox:
        """The templates of one service in one language; `shipped`: without the operator's."""
        ours = FileSystemLoader(SHIPPED)
        folders = [] if shipped else [FileSystemLoader(self._folders)]
        text, texts = TEXTS.get(service, Text), catalog(locale)
        return Sandbox(
            text,
            Formats(text, texts, locale, self._timezone),
            texts,
            ChoiceLoader([*folders, ours, PrefixLoader({"shipped": ours})]),
            escaping=bool(service),
        )

    def _choose(self, service: str, locale: str, shipped: bool, names: tuple[str, ...]) -> tuple[Template, str | None]:
        """The first template that is there, and the first name where it is not that one."""
        chosen = self._sandbox(service, locale, shipped).select_template([f"{service}/{name}.j2" for name in names])
        return chosen, None if chosen.name == f"{service}/{names[0]}.j2" else names[0]

    def _compile(self, source: str, locale: str) -> Template:
        return self._sandbox("", locale, False).from_string(source)


def _who(event: Event, name: str | None) -> Any:
    """What people call the thing that the event is about."""
    about = event.data.get(event.type.partition(".")[0])
    said = (
        about.get("name") or about.get("username") if isinstance(about, Mapping) and "device" not in event.type else ""
    )
    system = event.data.get("system")
    return said or name or (system.get("server") if isinstance(system, Mapping) else None)


def _names(type_: str) -> tuple[str, ...]:
    """What the templates of a type may be called, the closest first."""
    return (type_, type_.partition(".")[0], "base")


def _blocks(template: Template, names: Sequence[str], scope: dict[str, Any]) -> dict[str, str]:
    context = template.new_context(scope)
    next(template.root_render_func(context), None)  # runs the top: all that it extends is known then
    return {
        name: "".join(block[0](context)).strip(" \n") if (block := context.blocks.get(name)) else "" for name in names
    }


def _bare(event: Event, look: Look) -> dict[str, str]:
    """What is left to say where no template works."""
    text = TEXTS.get(look.service, Text)
    title, description = text.escape(event.type), text.escape(event.subject)
    words = {"title": title, "description": description, "text": f"{title}\n{description}".strip()}
    said = {name: str(words.get(name, "")) for name in look.blocks}
    return said if any(said.values()) else dict.fromkeys(look.blocks[:1], words["text"])
