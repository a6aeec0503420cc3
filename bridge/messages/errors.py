"""What is wrong with a template, and where: found before it runs, or told after it failed."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from errno import EINVAL
from pathlib import Path
from stat import S_ISREG
from traceback import walk_tb

from jinja2 import Environment, Template, TemplateNotFound, TemplateSyntaxError, nodes

from bridge.expressions import with_nearest_name
from bridge.markup.service import Service
from bridge.markup.text import clean
from bridge.value import Value

FAULT = 300  # characters of a fault
#: What Python itself says no to in a template that is none of a syntax that is wrong.
TOO_DEEP, TOO_MANY_DIGITS = "is nested too deeply", "has a number of too many digits"
_MANY_DIGITS = re.compile(rf"[0-9_]{{{sys.get_int_max_str_digits()},}}")


class TemplateMistake(Value):
    """One thing wrong in a template. `line` counts from 1."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def read_source(file: Path) -> str:
    """The text of a template; raise OSError, or UnicodeDecodeError, where it has none. A pipe is not waited for."""
    if not S_ISREG(file.stat().st_mode):
        raise OSError(EINVAL, "it is no file")
    return file.read_text("utf-8")


def mistakes_in(
    folder: Path, services: Mapping[str, Service], sandbox: Callable[[Service | None], Environment]
) -> Iterator[TemplateMistake]:
    """The mistakes in the templates of a folder; `sandbox` is what a service's templates are compiled in."""
    for file in sorted(folder.rglob("*.j2")):
        name = file.relative_to(folder).as_posix()
        for line, message in _mistakes(file, name, sandbox(services.get(name.partition("/")[0]))):
            yield TemplateMistake(file, line, message)


def _mistakes(file: Path, name: str, environment: Environment) -> Iterator[tuple[int, str]]:
    try:
        source = read_source(file)
        environment.compile(source, name, str(file))
        tree = environment.parse(source, name, str(file))
    except TemplateSyntaxError as error:
        yield error.lineno, with_nearest_name(error.message or "is not a template", environment)
    except OSError as error:
        yield 1, f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        yield 1, f"is not UTF-8 at byte {error.start}"
    except RecursionError:
        yield 1, TOO_DEEP
    except ValueError:
        yield _line_of_digits(source), TOO_MANY_DIGITS
    else:
        yield from _missing_templates(tree, name, environment)


def _line_of_digits(source: str) -> int:
    found = _MANY_DIGITS.search(source)
    return source.count("\n", 0, found.start()) + 1 if found else 1


def _missing_templates(tree: nodes.Template, name: str, environment: Environment) -> Iterator[tuple[int, str]]:
    """The templates that this one leads to and that are not there."""
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        target = getattr(node, "template", None)
        if not isinstance(target, nodes.Const) or not isinstance(target.value, str):
            continue
        if isinstance(node, nodes.Extends) and target.value == name:
            yield node.lineno, f"extends itself; the shipped one is shipped/{name}"
        elif not getattr(node, "ignore_missing", False) and not _exists(target.value, environment):
            yield node.lineno, f"there is no template {target.value}"


def _exists(name: str, environment: Environment) -> bool:
    try:
        if environment.loader:
            environment.loader.get_source(environment, name)
    except TemplateNotFound:
        return False
    except (OSError, UnicodeDecodeError):
        return True  # it is told at that one
    return True


class TemplateFault(Exception):
    """A template has failed, and there is none that could speak in its place."""


def fault_of(error: Exception) -> str:
    """The fault of a template that failed: file, line, why."""
    if isinstance(error, TemplateSyntaxError):
        place, why = f"{error.filename or error.name or 'inline'}:{error.lineno}", error.message or ""
    else:
        place, why = _place(error), str(error)
        if isinstance(error, TemplateNotFound):
            why = f"there is no template {why}"
        elif type(error).__module__ == "builtins":
            why = f"{type(error).__name__}: {why}"
    return clean(f"{place}: {why}" if place else why)[:FAULT]


def _place(error: Exception) -> str:
    """The innermost line of a template that was running."""
    place = ""
    for frame, line in walk_tb(error.__traceback__):
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            file = template.filename if template.filename not in (None, "<template>") else template.name or "inline"
            place = f"{file}:{template.get_corresponding_lineno(line)}"
    return place
