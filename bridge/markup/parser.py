"""Discord's markdown, read: markdown-it-py with CommonMark's rules that Discord shares, and six of Discord's own.

Source   support.discord.com "Markdown Text 101"; discord.com/developers/docs/reference#message-formatting
Quirks   four spaces mean nothing, nor do HTML, entities, tables, references and underlined headings
         a quote ends with its line, `>>> ` goes on to the end; there is none inside a quote or a list
         a mark needs no word's end beside it, as CommonMark's do: a text or none is all that matters
         ``` opens a code block anywhere, and closes it anywhere
"""

import re
from functools import cache, partial
from typing import TYPE_CHECKING

from bridge.markup.text import without_sentence

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.parser_inline import RuleFuncInlineType
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

_FORM = re.compile(r"<(@[!&]?[0-9]+|#[0-9]+|a?:\w+:[0-9]+|t:-?[0-9]{1,13}(?::[tTdDfFRsS])?|/[^<>\n:]+:[0-9]+|id:\w+)>")
_ADDRESS = re.compile(r"://[^\s<>|]+")
_LANGUAGE = re.compile(r"[\w+.#-]*")
_FENCE = "```"
BARE = "autolink"  # the library's word for a link whose label is its address


@cache
def reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # 3 MB: only who has such messages pays for it
    from markdown_it.rules_inline import emphasis, strikethrough

    md = MarkdownIt("zero")
    md.enable(["list", "heading", "newline", "escape", "backticks", "strikethrough", "emphasis", "link", "autolink"])
    md.block.ruler.before("list", "quote", _quote, {"alt": ["paragraph", "list"]})
    md.block.ruler.before("quote", "code_block", _code_block, {"alt": ["paragraph", "list", "quote"]})
    md.inline.ruler.before("escape", "address", _address)
    md.inline.ruler.before("backticks", "code_in_line", _code_in_line)
    md.inline.ruler.before("emphasis", "spoiler", _spoiler)
    md.inline.ruler.before("emphasis", "small", _small)
    md.inline.ruler.before("autolink", "form", _form)
    for name, rule in (("emphasis", emphasis), ("strikethrough", strikethrough)):
        md.inline.ruler.at(name, partial(_loose, rule.tokenize))
    md.inline.add_terminator_char("|")
    return md


def code_of(inner: str) -> tuple[str, str]:
    """What stands between two ```: its language, and the code."""
    first, newline, rest = inner.partition("\n")
    if newline and rest.strip() and _LANGUAGE.fullmatch(first):
        return first, rest.strip("\n")
    return "", inner.strip("\n")


def _quote(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """`> ` for a line, `>>> ` for all that follows."""
    if state.level or state.env.get("quoted") or not _line(state, start).startswith(("> ", ">>> ")):
        return False
    if silent:
        return True
    lines = [_line(state, n) for n in range(start, end)]
    if lines[0].startswith(">>> "):
        quoted = [lines[0][4:], *lines[1:]]
    else:
        others = next((n for n, line in enumerate(lines) if not line.startswith("> ")), len(lines))
        quoted = [line[2:] for line in lines[:others]]
    state.line = start + len(quoted)
    state.push("blockquote_open", "blockquote", 1).map = [start, state.line]
    state.env["quoted"] = True
    state.md.block.parse("\n".join(quoted), state.md, state.env, state.tokens)
    state.env["quoted"] = False
    state.push("blockquote_close", "blockquote", -1)
    return True


def _line(state: "StateBlock", number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _code_block(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """A code block that begins a line; what follows its end on the same line is a paragraph."""
    begin = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith(_FENCE, begin):
        return False
    close = state.src.find(_FENCE, begin + 3, state.eMarks[end - 1])
    if close < 0 or not state.src[begin + 3 : close].strip():
        return False
    if silent:
        return True
    last = next(n for n in range(start, end) if state.eMarks[n] >= close)
    token = state.push("fence", "code", 0)
    token.info, token.content = code_of(state.src[begin + 3 : close])
    token.map = [start, last + 1]
    if rest := state.src[close + 3 : state.eMarks[last]].strip():
        state.push("paragraph_open", "p", 1)
        inline = state.push("inline", "", 0)
        inline.content, inline.map, inline.children = rest, [last + 1, last + 1], []
        state.push("paragraph_close", "p", -1)
    state.line = last + 1
    return True


def _code_in_line(state: "StateInline", silent: bool) -> bool:
    """A code block that begins in a line."""
    if not state.src.startswith(_FENCE, state.pos):
        return False
    close = state.src.find(_FENCE, state.pos + 3, state.posMax)
    if close < 0 or not state.src[state.pos + 3 : close].strip():
        return False
    if not silent:
        token = state.push("fence", "code", 0)
        token.info, token.content = code_of(state.src[state.pos + 3 : close])
    state.pos = close + 3
    return True


def _spoiler(state: "StateInline", silent: bool) -> bool:
    """`||hidden||`"""
    if not state.src.startswith("||", state.pos):
        return False
    begin, end = state.pos + 2, state.posMax
    close = state.src.find("||", begin, end)
    if close < 0 or not state.src[begin:close].strip():
        return False
    if not silent:
        state.pos, state.posMax = begin, close
        state.push("spoiler_open", "spoiler", 1)
        state.md.inline.tokenize(state)
        state.push("spoiler_close", "spoiler", -1)
    state.pos, state.posMax = close + 2, end
    return True


def _small(state: "StateInline", silent: bool) -> bool:
    """`-# small print` at the beginning of a line: the text, without the sign."""
    at_start = state.pos == 0 or state.src[state.pos - 1] == "\n"
    if not at_start or not state.src.startswith("-# ", state.pos):
        return False
    state.pos += 3
    return True


def _loose(rule: "RuleFuncInlineType", state: "StateInline", silent: bool) -> bool:
    """A mark's rule without what CommonMark has about punctuation, for `**84%**` is bold whatever stands behind it.

    A single `_` keeps to words.
    """
    known, start = len(state.delimiters), state.pos
    if not rule(state, silent):
        return False
    before, after = state.src[start - 1 : start], state.src[state.pos : state.pos + 1]
    for one in state.delimiters[known:]:
        if chr(one.marker) != "_" or one.length > 1:
            one.open |= not (after.isspace() or state.pos >= state.posMax)
            one.close |= not (before.isspace() or start == 0)
    return True


def _form(state: "StateInline", silent: bool) -> bool:
    """`<@1>`, `<#1>`, `<:name:1>`, `<t:0:F>`, `</name:1>`."""
    found = _FORM.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("form", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _address(state: "StateInline", silent: bool) -> bool:
    """A bare address: what looks like markup inside it is none."""
    scheme = next((one for one in ("https", "http") if state.pending.lower().endswith(one)), None)
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if scheme is None or found is None or state.linkLevel > 0:
        return False
    tail = without_sentence(found[0])
    if len(tail) <= len("://"):
        return False
    if not silent:
        url = state.pending[-len(scheme) :] + tail
        state.pending = state.pending[: -len(scheme)]
        token = state.push("link_open", "a", 1)
        token.markup, token.attrs = BARE, {"href": state.md.normalizeLink(url)}
        state.push("text", "", 0).content = url
        state.push("link_close", "a", -1)
    state.pos += len(tail)
    return True
