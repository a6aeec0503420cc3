"""Whether what a row matches can come at all: globs of types, compared with what the file's sources are known to tell.

Why these are warnings but for a plain misspelling: a panel may learn a word tomorrow, and a row may wait for it.
"""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase

from bridge.config.document import Document, KeyPath
from bridge.config.orbvpn import spellings
from bridge.panels import CONFIGS, NATIVE_TYPES, OPEN_ENDED, TOLD
from bridge.polled import OF_WATCH
from bridge.redaction import redacted
from bridge.routing import OWN
from bridge.value import Value
from bridge.vocabulary import TYPES

_FAMILIES = frozenset(name.partition(".")[0] for name in TYPES)
_NATIVE = {word: frozenset(config.native_types) for config in CONFIGS for word in config.words()}
#: What types may begin with that the vocabulary has no word for: `marzban.frozen`.
_BEGINNINGS = frozenset(_NATIVE)
_OWN = frozenset(name for name in TYPES if name.startswith(OWN))
_QUOTES = frozenset("“”„‟‘’‚‛«»‹›\"'`´")
_SEPARATORS = re.compile(r"[,;|{}]|\s")


class _KnownTypes(Value):
    """What the sources of a row are known to tell: types, and the panels' own names. `open`: and whatever they like."""

    types: Collection[str]
    natives: Collection[str]
    open: bool

    def has(self, glob: str) -> bool:
        """Whether the glob, or the name, takes one of them."""
        if glob.partition(".")[0] in _BEGINNINGS:
            return True
        names = (*self.types, *self.natives, *_OWN)
        return any(fnmatchcase(name, glob) for name in names) or any(fnmatchcase(glob, name) for name in self.natives)


ALL = _KnownTypes(TYPES, NATIVE_TYPES, open=False)


def check_globs(document: Document) -> None:
    """Report the types that are misspelt, and warn of those that no source tells."""
    for index, _ in enumerate(document.entries("routes")):
        row: KeyPath = ("routes", index)
        known = _known(document, [name for _, name in document.texts((*row, "source"))])
        for key in (("match",), ("repeat", "until")):
            for path, glob in document.texts((*row, *key)):
                _check(document, row, path, glob, known)
    for index, _ in enumerate(document.entries("webhooks")):
        known = _known(document, [])
        for path, name in document.texts(("webhooks", index, "subscribedEvents")):
            if not any(known.has(one) for one in spellings(name)):
                _check(document, ("webhooks", index), path, name, known)


def _check(document: Document, row: KeyPath, path: KeyPath, glob: str, known: _KnownTypes) -> None:
    position = document.position(path)
    name = glob.removeprefix("!")
    if wrong := _malformed(glob, known):
        document.warn(row, wrong, position)
    elif known.open or known.has(name):
        return
    elif meant := _misspelt(name):
        document.report(row, f'no event has the type "{redacted(name)}": did you mean "{meant}"?', position)
    elif ALL.has(name):
        document.warn(row, f'no source of this row tells of "{redacted(name)}"{_suggestion(name, known)}', position)
    else:
        document.warn(row, f'no event is known as "{redacted(name)}"{_suggestion(name, known)}', position)


def _malformed(glob: str, known: _KnownTypes) -> str | None:
    """What is wrong with how it is written, whatever there may be."""
    name = glob.removeprefix("!")
    if _QUOTES.intersection(glob):
        return f'"{redacted(_unquoted(glob))}" stands in quotes that are a part of it: use plain ones, or none'
    if not name.strip():
        return "an empty type takes nothing: leave it out, or write * for all"
    if name != name.strip() or name.startswith("!"):
        return f'"{_redacted(glob)}" takes nothing: write "!{redacted(name.strip(" !"))}" to leave it out'
    if "[" in name and not re.search(r"\[!?[^\]]+\]", name):
        return f'"{redacted(glob)}" has a [ that nothing closes: write * for any letters'
    if not known.open and _SEPARATORS.search(name):
        several = ", ".join(map(redacted, filter(None, re.split(r"[,;|{}\s]+", name))))
        return f'"{_redacted(glob)}" is taken as one type: write several as a list, as in [{several}]'
    return None


def _unquoted(text: str) -> str:
    return "".join(one for one in text if one not in _QUOTES)


def _redacted(glob: str) -> str:
    """A glob with all that stands between the names in it, which a message speaks of."""
    return re.sub(r"[^,;|{}\s]+", lambda name: redacted(name[0]), glob)


def _misspelt(name: str) -> str | None:
    """The known type that a name without wildcards is close to, of the same family."""
    if re.split("[._]", name.lower())[0] not in _FAMILIES or re.search(r"[*?\[]", name):
        return None
    if any(fnmatchcase(name, native) for native in (*TYPES, *NATIVE_TYPES)):
        return None
    return next(iter(get_close_matches(name, sorted((*TYPES, *NATIVE_TYPES)), n=1, cutoff=0.8)), None)


def _suggestion(name: str, known: _KnownTypes) -> str:
    families = {one.partition(".")[0] + ".*" for one in known.types}
    names = {one.lower(): one for one in (*families, *known.types, *known.natives)}
    cutoff = 0.7 if len(name) > 2 else 1.0
    meant = get_close_matches(name.lower(), sorted(names), n=1, cutoff=cutoff)
    return f': did you mean "{names[meant[0]]}"?' if meant else f": there are {', '.join(sorted(families))}"


def _known(document: Document, sources: list[str]) -> _KnownTypes:
    """What the named sources tell, or all of the file's; everything where the file has none that is known."""
    names = sources or document.names("sources")
    words = [document.value(("sources", name, "panel")) for name in names]
    watched = any(document.value(("sources", name, "watch")) is not None for name in names)
    panels = [word for word in words if isinstance(word, str) and word in _NATIVE]
    if not panels:
        return ALL
    return _KnownTypes(
        types=frozenset(_types_of(panels)).union(OF_WATCH.values() if watched else ()),
        natives=frozenset(OF_WATCH if watched else ()).union(*(_NATIVE[word] for word in panels)),
        open=any(word in OPEN_ENDED for word in panels),
    )


def _types_of(panels: list[str]) -> Iterator[str]:
    """All types of the families that the panels tell of: which of these is theirs follows from what an event holds."""
    families = {type_.partition(".")[0] for word in panels for type_ in TOLD[word]}
    yield from (name for name in TYPES if name.partition(".")[0] in families)
