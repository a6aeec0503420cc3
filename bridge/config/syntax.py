"""YAML's syntax, less what people do not mean by it: `*` and `!` before a name, and braces of variables, are text.

*Why* it hides those characters from the parser: libyaml cannot be told. PyYAML's own scanner can, by a subclass, but
needs 14 ms for config.example.yaml where libyaml needs 1, and for `{secret: ${X}}` most of the scanner would have to be
written again. So each of them becomes a code point that no file uses while the file is parsed; lines and columns stay.
"""

import re

import yaml

from bridge.config.document import Position

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where it is there

#: `$$`, which only keeps what follows from being a variable; a variable; a leading `!` (a tag) or `*` (an alias).
_TEXT = re.compile(r"\$\$|\$\{(?!\{)[^}\n]*\}|(?<![^\s,\[{])(?:!(?=[\w*?\[])|\*(?=[.\s,\]}]|$))")
_HIDDEN = {code: 0x10FF00 + code for code in range(ord("\t"), ord("~") + 1)}
_SHOWN = {hidden: code for code, hidden in _HIDDEN.items()}

_HINTS = (
    (re.compile(r"\t"), "indent with spaces, not with a tab"),
    (re.compile(r"[@`%]"), 'put a text that begins with @, ` or % in quotes, as in "@channel"'),
    (re.compile(r"\*"), 'put a name that begins with * in quotes, as in "*_created"'),
    (re.compile(r": "), 'put a text that holds ": " in quotes'),
)


def compose(text: str) -> yaml.Node | None:
    """The file's nodes, scalars as `shown` reads them; raise yaml.YAMLError or RecursionError."""
    root: yaml.Node | None = yaml.compose(hidden(text), Loader=_LOADER)
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
    begun = f", in what begins in line {error.context_mark.line + 1}" if error.context_mark else ""
    what = f"not YAML: {shown(str(error.problem))}{begun}{_hint(text, mark)}"
    return (mark.line + 1, mark.column + 1), what


def _hint(text: str, mark: yaml.Mark) -> str:
    line = (text.split("\n")[mark.line : mark.line + 1] or [""])[0]
    return next((f"; {hint}" for sign, hint in _HINTS if sign.match(line, mark.column)), "")
