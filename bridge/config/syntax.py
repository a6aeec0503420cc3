"""YAML's syntax, less what people do not mean by it: `*` and `!` before a name, and braces of variables, are text.

*Why* it hides those characters from the parser: libyaml cannot be told. PyYAML's own scanner can, by a subclass, but
needs 14 ms for config.example.yaml where libyaml needs 1, and for `{secret: ${X}}` most of the scanner would have to be
written again. So each of them becomes a code point that no file uses while the file is parsed; lines and columns stay.
"""

import re

import yaml

from bridge.errors import Position
from bridge.redaction import redacted
from bridge.yaml_scalars import LOADER

#: `$$`, which only keeps what follows from being a variable; a variable; a leading `!` (a tag) or `*` (an alias).
_TEXT = re.compile(r"\$\$|\$\{(?!\{)[^}\n]*\}|(?<![^\s,\[{])(?:!(?=[\w*?\[])|\*(?=[.\s,\]}]|$))")
_HIDDEN = {code: 0x10FF00 + code for code in range(ord("\t"), ord("~") + 1)}
_SHOWN = {hidden: code for code, hidden in _HIDDEN.items()}

_NAMED = re.compile(r"(?<=alias |nchor |andle )['\"](.*)['\"]")

_HINTS = (
    (re.compile(r"\t"), "indent with spaces, not with a tab"),
    (re.compile(r"[@`%]"), 'put a text that begins with @, ` or % in quotes, as in "@channel"'),
    (re.compile(r"\*"), 'put a name that begins with * in quotes, as in "*_created"'),
    (re.compile(r": "), 'put a text that holds ": " in quotes'),
)


def compose(text: str) -> yaml.Node | None:
    """The file's nodes, scalars as `shown` reads them; raise yaml.YAMLError or RecursionError."""
    root: yaml.Node | None = yaml.compose(hidden(text), Loader=LOADER)
    return root


def hidden(text: str) -> str:
    return _TEXT.sub(lambda match: match[0] if match[0] == "$$" else match[0].translate(_HIDDEN), text)


def shown(text: str) -> str:
    return text.translate(_SHOWN)


def syntax_error(text: str, error: yaml.YAMLError) -> tuple[Position, str]:
    """Where the file is no YAML, and why."""
    try:
        yaml.compose(hidden(text), Loader=yaml.SafeLoader)
    except yaml.YAMLError as better:
        error = better  # libyaml is terse: this parser says what it found instead
    except RecursionError:
        pass  # and is the first to give up
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        return (before.count("\n") + 1, error.position - before.rfind("\n")), "not YAML: a control character"
    assert isinstance(error, yaml.MarkedYAMLError)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return (1, 1), f"not YAML: {error.problem}"
    if wrong := _indentation(text.split("\n"), mark, str(error.problem)):
        return wrong
    if error.problem == "could not find expected ':'" and error.context_mark:
        line = error.context_mark
        return (line.line + 1, line.column + 1), "not YAML: this line has no `: ` behind its key"
    begun = f", in what begins in line {error.context_mark.line + 1}" if error.context_mark else ""
    what = f"not YAML: {_problem(error)}{begun}{_hint(text, mark)}"
    return (mark.line + 1, mark.column + 1), what


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What the parser found; of a name in it only what may be repeated: a password may begin with `*` or `&`."""
    return _NAMED.sub(lambda name: f"'{redacted(name[1])}'", shown(str(error.problem)))


def _indentation(lines: list[str], mark: yaml.Mark, problem: str) -> tuple[Position, str] | None:
    """Where a line begins in a column in which none that it could belong to does; None where that is not the fault."""
    line = (lines[mark.line : mark.line + 1] or [""])[0]
    columns = _columns(line)
    if not columns:
        return None
    indent, above = columns[0], _open_columns(lines[: mark.line])
    if problem == "mapping values are not allowed here":
        wrong = re.fullmatch(r"\s*[^\s:#]+", line[: mark.column]) is not None and above and indent > above[-1]
    else:
        wrong = (
            problem.startswith(("expected <", "expected '<document start>"))
            and mark.column == indent
            and indent not in above
        )
    if not wrong:
        return None
    nearest = [*[one for one in above if one < indent][-1:], *[one for one in above if one > indent][:1]]
    what = f"not YAML: the line is indented by {indent}, and nothing that it could belong to is: "
    return (mark.line + 1, indent + 1), f"{what}indent it by {' or '.join(map(str, nearest))} spaces"


def _open_columns(lines: list[str]) -> list[int]:
    """The columns in which the last line and all that it is a part of begin."""
    found: list[int] = []
    for columns in filter(None, map(_columns, lines)):
        found = [one for one in found if one < columns[0]] + columns
    return found


def _columns(line: str) -> list[int]:
    """Where a line begins, and behind each of its dashes; nothing for an empty one and a comment."""
    if re.fullmatch(r"\s*(#.*)?", line):
        return []
    found = [len(line) - len(line.lstrip(" "))]
    while dash := re.compile(r"-\s+(?=\S)").match(line, found[-1]):
        found.append(dash.end())
    return found


def _hint(text: str, mark: yaml.Mark) -> str:
    line = (text.split("\n")[mark.line : mark.line + 1] or [""])[0]
    return next((f"; {hint}" for sign, hint in _HINTS if sign.match(line, mark.column)), "")
