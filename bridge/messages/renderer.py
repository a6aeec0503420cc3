"""Rendering: an event and a sink's wishes become named blocks of text.

A template is a file of named blocks, `{service}/{name}.j2`. For `user.expired` these names are tried, each in the
operator's folders and then among the shipped ones: the row's `template`, `user.expired`, `user`, `base`. The shipped
ones can be reached past the operator's as `shipped/{service}/{name}.j2`, so that a template may extend the one that it
replaces.

Why block by block: a sink asks for the blocks of which its message is made, and nothing else is run. What stands at
the top of a template, before its first block, is run first: imports, `{% set %}`. Text between blocks says nothing.

A template that fails never loses the message: the shipped one speaks instead, and the fault is told beside it.

Beside the blocks that a sink asks for there is `chart`, where a template has one and says something in it: bars for a
picture (`bridge/chart.py`). And there is `remarks`: what is to be known of the message beside its event, as that
it is a replay. It is run only where there is anything of that kind; a template without such a block has the shipped
base's. A digest is a template of its own, `{service}/digest.j2`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, Template, TemplateNotFound, TemplateSyntaxError
from jinja2.runtime import Context

from bridge.chart import BLOCK as CHART
from bridge.event import Event
from bridge.expressions import redacted_fault, with_nearest_name
from bridge.markup.service import Service, ServiceLook
from bridge.markup.text import Text
from bridge.message import PLAIN, Circumstances, DigestTally, Given
from bridge.messages import last_resort
from bridge.messages.catalog import LOCALES, catalog, known
from bridge.messages.context import TemplateVariables, digest_variables, event_variables, no_link, reader
from bridge.messages.customer import SEVERAL, SIGNATURE, WORDS, Me, customer_files
from bridge.messages.errors import TOO_MANY_DIGITS, fault_of, mistakes_in
from bridge.messages.errors import TemplateFault as TemplateFault
from bridge.messages.errors import TemplateMistake as TemplateMistake
from bridge.messages.filters import Formats
from bridge.messages.own_templates import OwnTemplates, loader
from bridge.messages.sandbox import Sandbox
from bridge.messages.unmatched import Unmatched
from bridge.people.brand import NO_BRAND, Brand
from bridge.people.link import LinkMaker
from bridge.value import Value, field

_BRIDGE = Path(__file__).parents[1]
#: In the wheel the shipped templates lie inside the package, in the repository beside it.
SHIPPED = _BRIDGE / "templates" if (_BRIDGE / "templates").is_dir() else _BRIDGE.parent / "templates"


#: The template of digests.
DIGESTS = "digest"


class Rendered(Value):
    """The blocks that were asked for, what went wrong on the way, and the links in them, by customers' keys."""

    blocks: Mapping[str, str]
    fault: str | None = None
    links: Mapping[str, Given] = field(default_factory=dict)


NOTHING = Rendered({})


class _RenderRequest(NamedTuple):
    """What is to be rendered: these blocks, by the first of these templates that is there."""

    service: Service
    locale: str
    blocks: tuple[str, ...]
    names: tuple[str, ...]
    template: str | None  # the row's: it comes first, where it is there
    circumstances: Circumstances


class Renderer:
    """Speaks with the operator's templates in `folders`, the first one first, and with the shipped ones.

    `brands` are the folders of brands. The operator's files are read when it is made, and never later: a reload that is
    rejected, or a file of which a half is written, changes no message. The shipped ones are read when they are needed.
    """

    def __init__(
        self,
        *,
        folders: Sequence[Path],
        timezone: ZoneInfo,
        locale: str,
        links: LinkMaker | None = None,
        brands: Sequence[Path] = (),
    ) -> None:
        self._folders = tuple(folders)
        self._own = cache(OwnTemplates)
        for folder in (*folders, *brands):
            self._own(folder)
        self._links = links
        self.timezone = timezone
        self._readers = {locale: reader(locale, timezone) for locale in LOCALES}
        self.locale = known(locale)
        self._sandbox = lru_cache(maxsize=None)(self._open)
        self._customers = lru_cache(maxsize=64)(self._open)
        self._chosen = lru_cache(maxsize=1024)(self._choose)
        self._compiled = lru_cache(maxsize=256)(self._compile)
        self._announced = lru_cache(maxsize=32)(self._compile_announcement)

    def render(
        self, event: Event, look: ServiceLook, template: str | None = None, circumstances: Circumstances = PLAIN
    ) -> Rendered:
        """The blocks that `look` asks for, and `remarks`; `template` is the one that the row names."""
        if look.service is None and not look.inline:
            return NOTHING
        locale = self._language(look)
        made: dict[str, Given] = {}
        link_for = no_link if self._links is None else partial(self._links.for_user, event=event, made=made)
        variables = event_variables(event, self._readers[locale], circumstances, look.style, link_for)
        faults: list[str] = []
        blocks: dict[str, str] = {}
        if (service := look.service) is not None:
            wanted = _RenderRequest(service, locale, service.blocks, _names(event.type), template, circumstances)
            rendered = self._blocks(wanted, variables, faults)
            blocks = last_resort.event_blocks(event, service, circumstances) if rendered is None else rendered
        for name, source in look.inline:
            blocks[name] = self._inline(name, source, locale, variables, faults)
        return Rendered(blocks, "; ".join(faults) or None, made)

    def digest(self, tally: DigestTally, look: ServiceLook, circumstances: Circumstances = PLAIN) -> Rendered:
        """The blocks of a digest, and `remarks`; in `more` the sink puts a number for `{more}`."""
        if (service := look.service) is None:
            return NOTHING
        locale = self._language(look)
        formats = self._sandbox(service, locale, True).formats
        variables = digest_variables(tally, self._readers[locale], formats, circumstances)
        faults: list[str] = []
        wanted = _RenderRequest(service, locale, service.digest_blocks, (DIGESTS,), None, circumstances)
        rendered = self._blocks(wanted, variables, faults)
        blocks = last_resort.digest_blocks(tally, service, circumstances) if rendered is None else rendered
        return Rendered(blocks, "; ".join(faults) or None)

    def customer(self, service: Service, type_: str, me: Me, brand: Brand = NO_BRAND) -> Rendered:
        """What a customer is told of a type; a template is given `me` and `brand`, and nothing of the event."""
        block = type_.replace(".", "_")

        def words(context: Context) -> str:
            if not (said := _block(context, block)):
                raise LookupError(f"{context.name} says nothing in block {block}")
            return said

        return self._customer_words(service, me, brand, words)

    def announcement(self, service: Service, source: str, me: Me, brand: Brand = NO_BRAND) -> Rendered:
        """What a customer is told by a template of the operator's over `me`: its block of their language, else of the
        file's, else its first one; all of it where it has none. Raise TemplateFault where it says nothing.
        """
        locale, given = known(me.locale), _given(me, brand)
        try:
            template = self._announced(service, locale, ZoneInfo(me.zone), source)
            context = template.new_context(given)
            if not context.blocks:
                said = "".join(template.root_render_func(context)).strip()
            else:
                context = _context(template, given)
                names = (locale, self.locale, *template.blocks)
                said = _block(context, next(name for name in names if name in context.blocks))
        except Exception as error:  # noqa: BLE001 a template is the operator's program: it may raise anything
            raise TemplateFault(fault_of(error)) from None
        if not said:
            raise TemplateFault(f"says nothing to whom reads {locale}")
        return self._customer_words(service, me, brand, lambda _: said)

    def _customer_words(self, service: Service, me: Me, brand: Brand, words: Callable[[Context], str]) -> Rendered:
        """Words for a customer with all that is around them, by the file of their language, the brand's or else the
        operator's; where it fails by the shipped one.
        """
        locale, faults = known(me.locale), list[str]()
        for shipped in (False, True):
            try:
                sandbox = self._customers(service, locale, shipped, ZoneInfo(me.zone), brand.templates)
                files = customer_files(service.name, locale)
                context = _context(sandbox.select_template(files), _given(me, brand))
                said = words(context)
                if me.several and (whose := _block(context, SEVERAL)):
                    said = f"{whose} {said}"
                if signature := _block(context, SIGNATURE):
                    said = f"{said}\n\n{signature}"
                around = {name: _block(context, name) for name in service.blocks if name != WORDS}
                return Rendered({**around, WORDS: self._readers[locale].rlm + said}, "; ".join(faults) or None)
            except Exception as error:  # noqa: BLE001 a template is the operator's program: it may raise anything
                faults.append(fault_of(error))
        raise RuntimeError(f"no words for a customer: {faults[-1]}")

    def mistakes(self, services: Mapping[str, Service], *, within: Path | None = None) -> list[TemplateMistake]:
        """Every template in the operator's folders that does not compile, or leads to one that is not there.

        `services`, by their names, are whose templates the folders may hold; `within`: of that folder alone.
        """
        return [
            mistake
            for folder in self._folders
            if within in (None, folder)
            for mistake in mistakes_in(folder, services, lambda service: self._sandbox(service, self.locale, False))
        ]

    def unmatched(
        self,
        services: Mapping[str, Service],
        named: Collection[str],
        beginnings: Collection[str] | None,
        *,
        within: Path | None = None,
    ) -> list[TemplateMistake]:
        """What in the operator's folders, or in one of them, nothing asks for; see Unmatched for the names."""
        if not self._folders:
            return []
        sandboxes: dict[str | None, Sandbox] = {None: self._sandbox(None, self.locale, False)}
        sandboxes |= {name: self._sandbox(one, self.locale, False) for name, one in services.items()}
        folders = [Unmatched(one, services, sandboxes) for one in self._folders if within in (None, one)]
        return [finding for one in folders for finding in one.findings(named, beginnings)]

    def wrong(self, source: str) -> str | None:
        """What is wrong with an operator's own little template, None where it compiles."""
        try:
            self._compiled(source, self.locale)
        except (TemplateSyntaxError, RecursionError) as error:
            return redacted_fault(with_nearest_name(fault_of(error), self._sandbox(None, self.locale, False)))
        except ValueError:
            return TOO_MANY_DIGITS
        return None

    def exists(self, service: Service, name: str) -> bool:
        """Whether a row that leads to `service` may name the template `name`."""
        try:
            self._sandbox(service, self.locale, False).get_template(f"{service.name}/{name}.j2")
        except TemplateNotFound:
            return False
        except (TemplateSyntaxError, RecursionError, ValueError):
            return True  # it is there; `mistakes` says what is wrong with it
        return True

    def _language(self, look: ServiceLook) -> str:
        return known(look.locale) if look.locale else self.locale

    def _blocks(self, wanted: _RenderRequest, variables: TemplateVariables, faults: list[str]) -> dict[str, str] | None:
        """By the operator's templates; where they fail by the shipped ones; None where those fail too."""
        own = (wanted.template, *wanted.names) if wanted.template else wanted.names
        for shipped, names in ((False, own), (True, wanted.names)):
            try:
                chosen, missing = self._chosen(wanted.service, wanted.locale, shipped, names)
                if missing and missing == wanted.template:
                    faults.append(f"there is no template {wanted.service.name}/{missing}.j2")
                context = _context(chosen, variables)
                blocks = {name: _block(context, name) for name in wanted.blocks}
                if chart := _block(context, CHART):
                    blocks[CHART] = chart
                plain = wanted.circumstances == PLAIN
                blocks["remarks"] = "" if plain else self._remarks(wanted, context, variables, faults)
                return blocks
            except Exception as error:  # noqa: BLE001 a template is the operator's program: it may raise anything
                faults.append(fault_of(error))
        return None

    def _remarks(
        self, wanted: _RenderRequest, context: Context, variables: TemplateVariables, faults: list[str]
    ) -> str:
        """The template's own; where it has none, those of the shipped base."""
        if "remarks" in context.blocks:
            return _block(context, "remarks")
        try:
            base, _ = self._chosen(wanted.service, wanted.locale, True, ("base",))
            return _block(_context(base, variables), "remarks")
        except Exception as error:  # noqa: BLE001 without it the rest is still worth saying
            faults.append(fault_of(error))
            return last_resort.remarks(wanted.circumstances, wanted.service)

    def _inline(self, name: str, source: str, locale: str, variables: TemplateVariables, faults: list[str]) -> str:
        try:
            template = self._compiled(source, locale)
            return "".join(template.root_render_func(template.new_context(variables)))
        except Exception as error:  # noqa: BLE001 the operator's program too
            faults.append(f"{name}: {fault_of(error)}")
            return ""

    def _open(
        self,
        service: Service | None,
        locale: str,
        shipped: bool,
        zone: ZoneInfo | None = None,
        first: Path | None = None,
    ) -> Sandbox:
        """The templates of one service in one language and zone. `shipped`: without the operator's; `first`: the folder
        before those.
        """
        ours = FileSystemLoader(SHIPPED)
        own = self._folders if first is None else (first, *self._folders)
        folders = [] if shipped or not own else [loader([self._own(folder) for folder in own])]
        texts = catalog(locale)
        formats = Formats(service.text if service else Text, texts, locale, zone or self.timezone)
        return Sandbox(service, formats, texts, ChoiceLoader([*folders, ours, PrefixLoader({"shipped": ours})]))

    def _choose(
        self, service: Service, locale: str, shipped: bool, names: tuple[str, ...]
    ) -> tuple[Template, str | None]:
        """The first template that is there, and the first name where it is not that one."""
        files = [f"{service.name}/{name}.j2" for name in names]
        chosen = self._sandbox(service, locale, shipped).select_template(files)
        return chosen, None if chosen.name == files[0] else names[0]

    def _compile(self, source: str, locale: str) -> Template:
        return self._sandbox(None, locale, False).from_string(source)

    def _compile_announcement(self, service: Service, locale: str, zone: ZoneInfo, source: str) -> Template:
        return self._customers(service, locale, False, zone).from_string(source)


def _names(type_: str) -> tuple[str, ...]:
    """What the templates of a type may be called, the closest first."""
    family = type_.partition(".")[0]
    return ("base",) if family == DIGESTS else (type_, family, "base")


def _given(me: Me, brand: Brand) -> dict[str, Any]:
    """What a customer's template is given."""
    return {"me": me, "brand": brand.speaker()}


def _context(template: Template, variables: TemplateVariables) -> Context:
    """The template's blocks, ready to be run."""
    context = template.new_context(variables)
    next(template.root_render_func(context), None)  # runs the top: all that it extends is known then
    return context


def _block(context: Context, name: str) -> str:
    block = context.blocks.get(name)
    return "".join(block[0](context)).strip(" \n") if block else ""
