"""Jinja, sandboxed, with one service's escaping: what a template may use, and what it cannot do.

Limits   a template reads and formats; it changes nothing and reaches no file but templates (Jinja's sandbox)
Quirks   what a template puts out is escaped by `finalize`, not by markupsafe: that one knows only HTML.
         Jinja's own joining (`~`, `+`, `%`, join, replace, format) escapes for HTML; here it asks the service's Text
         a key of the data comes before a method of the same name: `data.items` is what the panel sent
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from gettext import NullTranslations
from typing import Any

from jinja2 import BaseLoader, ChainableUndefined, pass_context, pass_environment, pass_eval_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.filters import make_attrgetter
from jinja2.nodes import Block, Concat, EvalContext, Expr, Extends, Output, Template, TemplateData
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from bridge.chart import can_be_drawn
from bridge.expressions import GROWING, check_growth
from bridge.markup.markdown import PlainWriter, markdown, unmarked
from bridge.markup.service import Service
from bridge.markup.text import Text, web_address
from bridge.messages.facts import Fact, Section, facts, headline, sections
from bridge.messages.fields import ValueStyle
from bridge.messages.filters import Formats
from bridge.messages.layout import told_whole
from bridge.messages.report import ReportWords, told
from bridge.messages.values import flat, given, to_json
from bridge.posted import buttons, component_pictures, component_texts, poll_answers

FEW = 3  # facts of a message in the short style

#: What a template may ask about a message that was posted to us.
POSTED = {"buttons": buttons, "texts": component_texts, "pictures": component_pictures, "answers": poll_answers}


class _Generator(CodeGenerator):
    """`{{ a }}` and `{{ a ~ b }}` are what the environment makes of them; Jinja's own would ask markupsafe.

    What stands between blocks says nothing; instead a template yields once, when its top has run.

    Why Jinja's compiler, of which two hooks are private: there is no other place for `~` and for the top of a template.
    Without `_output_child_*` what a `{{ a }}` puts out would pass markupsafe once more, and come out as it was: a
    twelfth of the time that a message takes. Should they be gone one day, nothing but that time is lost.
    """

    def visit_Template(self, node: Template, frame: Frame | None = None) -> None:  # noqa: N802 Jinja's compiler calls it
        if any(isinstance(one, Extends | Block) for one in node.body):
            body = [one for one in node.body if not isinstance(one, Output)]
            first = next((n for n, one in enumerate(body) if isinstance(one, Block)), len(body))
            node.body = [*body[:first], Output([TemplateData(" ")]), *body[first:]]
        super().visit_Template(node, frame)

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(finalize.src or "str(")

    def _output_child_post(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(")")

    def visit_Concat(self, node: Concat, frame: Frame) -> None:  # noqa: N802 likewise
        self.write("environment.concatenate((")
        for one in node.nodes:
            self.visit(one, frame)
            self.write(", ")
        self.write("))")


class Sandbox(ImmutableSandboxedEnvironment):
    """Where the templates of one service in one language live; without a service the operator's own little ones.

    Nobody escapes the little ones: they write what a program or a setting wants.
    """

    code_generator_class = _Generator
    intercepted_binops = GROWING | {"+", "%"}
    newstyle_gettext = True  # read by Jinja's i18n extension: variables are escaped as they are put in

    def __init__(
        self, service: Service | None, formats: Formats, catalog: NullTranslations, loader: BaseLoader
    ) -> None:
        super().__init__(
            loader=loader,
            autoescape=service is not None,
            finalize=_finalize(formats.text),
            undefined=ChainableUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.text = formats.text
        self._writer = (service.writer if service else PlainWriter)(self.text, formats.when)
        self.formats = formats
        self.policies["ext.i18n.trimmed"] = True
        self.tests["given"] = given
        functions = _functions(formats, service)
        self.globals.update(_translations(self.text, catalog), **functions, **POSTED, field=formats.field)
        self.globals.pop("lipsum")
        for name in ("urlize", "xmlattr"):  # they write HTML
            self.filters.pop(name)
        self.filters |= formats.filters() | self._filters(formats)

    def _filters(self, formats: Formats) -> dict[str, Callable[..., Any]]:
        text = self.text
        return {
            "e": text.escape,
            "escape": text.escape,
            "forceescape": lambda value: text.escape(str(value)),
            "safe": text,
            "field": formats.field,
            "plain": text.plain,
            "code": text.code,
            "bold": text.bold,
            "link": text.link,
            "lines": text.lines,
            "address": lambda value: text(web_address(value) or ""),
            "markdown": lambda value: markdown(value, self._writer),
            "unmarked": lambda value: unmarked(value, formats.when),
            "tojson": to_json,
            "join": self._join,
            "replace": self._replace,
            "format": self._format,
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(self._as_text(obj), attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self.concatenate((left, right))
        check_growth(operator, left, right)
        return super().call_binop(context, operator, self._as_text(left), right)

    def concatenate(self, parts: Sequence[Any]) -> str:
        """The parts in a row; as soon as one of them is ready for the service, all of them are made so."""
        if any(hasattr(part, "__html__") for part in parts):
            return self.text("").join(parts)
        return "".join(map(str, parts))

    def _as_text(self, value: Any) -> Any:
        """Jinja's Markup, as what macros and blocks return, becomes the service's own."""
        return self.text(value) if isinstance(value, Markup) and not isinstance(value, Text) else value

    @staticmethod
    @pass_environment
    def _join(environment: "Sandbox", value: Iterable[Any], d: Any = "", attribute: str | int | None = None) -> str:
        get = make_attrgetter(environment, attribute) if attribute is not None else None
        parts = [get(part) for part in value] if get else list(value)
        if any(hasattr(part, "__html__") for part in (*parts, d)):
            return environment.text.escape(d).join(parts)
        return str(d).join(map(str, parts))

    def _replace(self, value: Any, old: Any, new: Any, count: int = -1) -> str:
        if any(hasattr(one, "__html__") for one in (value, old, new)):
            return self.text.escape(value).replace(str(old), self.text.escape(new), count)
        return str(value).replace(str(old), str(new), count)

    def _format(self, value: Any, *args: Any, **kwargs: Any) -> str:
        """`"%s of %s"|format(a, b)`"""
        template = self._as_text(value if isinstance(value, str) else str(value))
        formatted: str = template % (kwargs or args)
        return formatted


def _finalize(text: type[Text]) -> Callable[[EvalContext, Any], str]:
    @pass_eval_context
    def finalize(context: EvalContext, value: Any) -> str:
        """What a `{{ … }}` puts out: ready for the service; None is nothing."""
        if type(value) is text:
            return value
        if not context.autoescape:
            return "" if value is None else str(value)
        return text.escape(flat(value) if isinstance(value, dict | list | tuple) else value)

    return finalize


def _functions(formats: Formats, service: Service | None) -> dict[str, Callable[..., Any]]:
    """What a template may ask about its event."""
    long_values = service is not None and service.long_values
    pictures = service is not None and service.pictures and can_be_drawn()

    @pass_context
    def known_facts(context: Context) -> list[Fact]:
        return facts(context["event"], _style(context), context["who"])

    @pass_context
    def known_sections(context: Context) -> list[Section]:
        told = None if context["panel"] == "orbvpn" else context["who"]  # documented are all lines
        return sections(context["event"], _style(context), told if long_values else None)

    @pass_context
    def known_gist(context: Context) -> Any:
        return headline(context["event"], _style(context))

    @pass_context
    def known_report(context: Context) -> ReportWords:
        return told(context["event"], formats, pictures=pictures)

    def _style(context: Context) -> ValueStyle:
        lasted = context["downtime"]
        ended = None if lasted is None else (context["type"].rpartition(".")[2], lasted)
        extent, type_ = context["style"], context["type"]
        if long_values and context["panel"] == "orbvpn":
            extent = "full"  # in the documented layout nothing that is documented is missing
        whole = extent == "full" or (extent == "normal" and told_whole(type_))
        most = FEW if extent == "short" else None
        return ValueStyle(formats, context["occurred_at"], long=long_values, ended=ended, whole=whole, most=most)

    return {"facts": known_facts, "sections": known_sections, "gist": known_gist, "report": known_report}


def _translations(text: type[Text], catalog: NullTranslations) -> dict[str, Callable[..., Text]]:
    """What `_("…")` and `{% trans %}` call: the translation is ours and trusted, what is put into it is not."""

    @lru_cache(maxsize=1024)
    def translated(message: str) -> Text:
        return text(catalog.gettext(message)) % {}

    def gettext(message: str, /, **variables: Any) -> Text:
        return text(catalog.gettext(message)) % variables if variables else translated(message)

    def ngettext(singular: str, plural: str, num: int, /, **variables: Any) -> Text:
        return text(catalog.ngettext(singular, plural, num)) % {"num": num, **variables}

    def pgettext(context: str, message: str, /, **variables: Any) -> Text:
        return text(catalog.pgettext(context, message)) % variables

    def npgettext(context: str, singular: str, plural: str, num: int, /, **variables: Any) -> Text:
        return text(catalog.npgettext(context, singular, plural, num)) % {"num": num, **variables}

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext, "pgettext": pgettext, "npgettext": npgettext}
