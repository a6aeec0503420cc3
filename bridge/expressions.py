"""Expressions that operators write into the file: Jinja's, in one sandbox for all of them.

An expression reads and changes nothing: neither the event that is stored, nor what the next expression is given. A
payload's own key comes before a method of the same name: `native.items` is what the panel sent, whatever Python's
dictionaries can do.
"""

from collections.abc import Set
from typing import Annotated, Any

from jinja2 import ChainableUndefined, TemplateError, meta
from jinja2.environment import TemplateExpression
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import AfterValidator

#: All that an expression over foreign data can raise.
FAULTS = (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, MemoryError)


class _Sandbox(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_SANDBOX = _Sandbox(undefined=ChainableUndefined)
_NAMELESS = _Sandbox()
_NAMELESS.globals = {}  # where Jinja's own names, as `range`, are as unknown as any other
_TOO_DEEP = "is not a Jinja expression: it is nested too deeply"


def compile_expression(source: str) -> TemplateExpression:
    """What gives the expression's value for the names it is called with: None where it leads nowhere, else one of
    FAULTS where it fails. Raise ValueError where it is no expression.
    """
    try:
        return _SANDBOX.compile_expression(source)
    except TemplateError as error:
        where = f" in line {error.lineno}" if "\n" in source and hasattr(error, "lineno") else ""
        hint = "; write it without {{ }}" if "{{" in source else ""
        what = (error.message or "").rstrip(".").replace("chunk after expression", "there is more after its end")
        raise ValueError(f"is not a Jinja expression{where}: {what}{hint}") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


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
