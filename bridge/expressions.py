"""Expressions that operators write into the file: Jinja's, in one sandbox for all of them.

An expression reads and changes nothing: neither the event that is stored, nor what the next expression is given. A
payload's own key comes before a method of the same name: `native.items` is what the panel sent, whatever Python's
dictionaries can do.
"""

import re
from collections.abc import Callable, Mapping, Set
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any
from urllib.parse import quote

from jinja2 import ChainableUndefined, Environment, TemplateError, Undefined, meta, nodes
from jinja2.environment import TemplateExpression
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import AfterValidator

from bridge.redaction import HIDDEN

#: All that an expression over foreign data can raise: filters assert, and `1e999` is a name that there is not.
FAULTS = (
    *(TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, MemoryError),
    *(AssertionError, NameError),
)


#: Operators whose result may be of any size, and what they give at the most: so many signs, elements or bits.
GROWING = frozenset({"*", "**"})
MOST_GROWN = 100_000


def check_growth(operator: str, left: Any, right: Any) -> None:
    """Raise OverflowError where one of GROWING would give more than MOST_GROWN."""
    if operator == "*":
        for one, times in ((left, right), (right, left)):
            if isinstance(one, str | list | tuple) and isinstance(times, int) and len(one) * times > MOST_GROWN:
                raise OverflowError(f"repeats something to more than {MOST_GROWN} signs")
    both = isinstance(left, int) and isinstance(right, int)
    if operator == "**" and both and left.bit_length() * right > MOST_GROWN:
        raise OverflowError(f"is a number of more than {MOST_GROWN} bits")


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = GROWING

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        check_growth(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_SANDBOX = _Sandbox(undefined=ChainableUndefined)
_NAMELESS = _Sandbox()
_NAMELESS.globals = {}  # where Jinja's own names, as `range`, are as unknown as any other
_EMPTY = _SANDBOX.from_string("")
_TOO_DEEP = "is not a Jinja expression: it is nested too deeply"


def compile_expression(source: str) -> TemplateExpression:
    """What gives the expression's value for the names it is called with: None where it leads nowhere, else one of
    FAULTS where it fails. Raise ValueError where it is no expression.
    """
    try:
        return _SANDBOX.compile_expression(source)
    except TemplateError as error:
        where = f" in line {error.lineno}" if "\n" in source and hasattr(error, "lineno") else ""
        what = redacted_fault(with_nearest_name(error.message or "", _SANDBOX)).rstrip(".")
        what = what.replace("chunk after expression", "there is more after its end")
        raise ValueError(f"is not a Jinja expression{where}: {what}{_hint(source)}") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError:
        raise ValueError("is not a Jinja expression: it has a number of too many digits") from None


class Condition:
    """An expression that is true of a context, or not.

    What is asked of many expressions is put into one context, once: that is most of what evaluating one costs.
    """

    def __init__(self, source: str) -> None:
        self._render = _SANDBOX.from_string("{% set result = (" + source + ") %}").root_render_func

    def __call__(self, context: Context) -> bool:
        """Whether it is true; raise one of FAULTS where it fails."""
        for _ in self._render(context):
            pass
        return bool(context.vars["result"])


def new_context(names: Mapping[str, Any]) -> Context:
    """What conditions are asked in: what each name is."""
    return _EMPTY.new_context(dict(names))


#: What other languages write, and what Jinja does.
_HINTS = (
    (re.compile(r"\{\{"), "write it without {{ }}"),
    (re.compile(r"==="), "to compare write =="),
    (re.compile(r"(?<![=!<>])=(?!=)"), "to compare write =="),
    (re.compile(r"&&"), "write and"),
    (re.compile(r"\|\|"), "write or"),
    (re.compile(r"!(?!=)"), "write not"),
)
_REPEATED = re.compile(r"'([^']*)'")
_PLAIN = re.compile(r"[A-Za-z_ ]{1,40}|\W{1,3}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def _hint(source: str) -> str:
    """What to write instead of what the expression holds outside of its texts."""
    bare = _QUOTED.sub("''", source)
    return next((f"; {hint}" for pattern, hint in _HINTS if pattern.search(bare)), "")


def with_nearest_name(message: str, environment: Environment) -> str:
    """Jinja's message of a filter or a test that it does not know, with the one that may be meant."""
    unknown = re.search(r"No (filter|test) named '(\w+)'\.?", message)
    if unknown is None:
        return message
    kind, name = unknown.groups()
    known = environment.filters if kind == "filter" else environment.tests
    meant = {"size": "length", "len": "length"}.get(name) or next(
        iter(get_close_matches(name, known, n=1, cutoff=0.7)), None
    )
    return f"{message.rstrip('.')}: did you mean {meant}?" if meant in known else message


def redacted_fault(message: str) -> str:
    """Jinja's message without what it repeats of the text, but for plain words and signs: a secret that stands in the
    place of an expression is taken to pieces, and named piece by piece.
    """
    return _REPEATED.sub(lambda text: text[0] if _PLAIN.fullmatch(text[1]) else f"'{HIDDEN}'", message)


def names_in(source: str) -> Set[str]:
    """The names that the expression speaks of and does not make itself, Jinja's own among them."""
    try:
        return meta.find_undeclared_variables(_NAMELESS.parse("{{ (" + source + ") }}"))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _checked(source: str) -> str:
    compile_expression(source)
    return source


#: A Jinja expression as it is written in the file.
Expression = Annotated[str, AfterValidator(_checked)]


LONGEST_PART = 200  # characters of what an expression puts into an address or a header
IN_HEADER = "!#$&'*+-./:=?@^_`|~"  # what stands in a header as it is, beside letters and digits: no separators of lists

#: How the value of each expression is written in the text around it; ValueError where it must not stand there.
Escape = Callable[[Any], str]


def as_segment(value: Any) -> str:
    """One segment of an address, percent-encoded; raise ValueError for what would be none, or another one."""
    text = _bounded(value)
    if text in ("", ".", ".."):
        raise ValueError(f'has an expression that gives "{text}", which is no segment')
    return quote(text, safe="")


def as_header(value: Any) -> str:
    """A part of a header's value, percent-encoded but for plain signs: it stays one value, whatever it says."""
    if not (text := _bounded(value)):
        raise ValueError("has an expression that gives nothing")
    return quote(text, safe=IN_HEADER)


def _bounded(value: Any) -> str:
    text = "" if isinstance(value, Undefined) or value is None else str(value)
    if len(text) > LONGEST_PART:
        raise ValueError(f"has an expression that gives more than {LONGEST_PART} characters")
    return text


@cache
def _escaping(escape: Escape) -> Environment:
    return _SANDBOX.overlay(finalize=escape)


class TextTemplate:
    """A text with expressions in it, as `{{ owner.telegram }}`; `escape` writes what each of them gives."""

    def __init__(self, source: str, escape: Escape | None = None) -> None:
        self._template = (_escaping(escape) if escape else _SANDBOX).from_string(source)

    def __call__(self, names: Mapping[str, Any]) -> str:
        """The text for what each name is, nothing where an expression leads nowhere; raise one of FAULTS."""
        return self._template.render(names)


def compile_text(source: str, escape: Escape | None = None) -> TextTemplate:
    """What gives the text for the names that it is called with. Raise ValueError where it cannot be read."""
    try:
        return TextTemplate(source, escape)
    except TemplateError as error:
        what = redacted_fault(with_nearest_name(error.message or "", _SANDBOX)).rstrip(".")
        raise ValueError(f"cannot be read: {what}") from None
    except RecursionError:
        raise ValueError("cannot be read: it is nested too deeply") from None
    except ValueError:
        raise ValueError("cannot be read: it has a number of too many digits") from None


def attributes_in(source: str) -> Set[tuple[str, str | None]]:
    """The names that a text's expressions speak of, each with what is asked of it: None where that is all of it.

    Raise ValueError where the text cannot be read, or holds a statement: that could give a name another meaning.
    """
    compile_text(source)
    tree = _NAMELESS.parse(source)
    if not all(isinstance(one, nodes.Output) for one in tree.body):
        raise ValueError("should have no {% … %}: write what is meant as {{ … }}")
    lookups: list[tuple[nodes.Expr, str | None]] = [(one.node, one.attr) for one in tree.find_all(nodes.Getattr)]
    lookups += [(one.node, _constant(one.arg)) for one in tree.find_all(nodes.Getitem)]
    keys = {id(node): key for node, key in lookups if isinstance(node, nodes.Name)}
    return {(name.name, keys.get(id(name))) for name in tree.find_all(nodes.Name)}


def _constant(node: nodes.Node) -> str | None:
    """The text that stands there, None where it is none."""
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None
