"""What no part can see by itself: names that lead nowhere, and types that no panel knows."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from bridge.config.document import Document, KeyPath
from bridge.config.errors import suggestion
from bridge.config.model import Config
from bridge.config.orbvpn import slug
from bridge.config.templates import check_templates
from bridge.panels import NATIVE_TYPES, OPEN_ENDED
from bridge.store_url import is_database
from bridge.vocabulary import TYPES

_FAMILIES = frozenset(type_.partition(".")[0] for type_ in TYPES)


def check(document: Document, folder: Path, config: Config | None) -> None:
    """Report what is wrong between the parts, and in what they lead to. `folder` is the file's own."""
    sinks = [*document.names("sinks"), *_webhook_sinks(document)]
    sources = document.names("sources")
    for index, _ in enumerate(document.entries("routes")):
        row: KeyPath = ("routes", index)
        _check_names(document, row, "to", "sink", sinks)
        _check_names(document, row, "fallback", "sink", sinks)
        _check_names(document, row, "source", "source", sources)
        _check_fallback(document, row, sinks)
        for path, name in () if _takes_any_type(document, row) else document.texts((*row, "match")):
            _check_type(document, row, path, name)
    for index, _ in enumerate(document.entries("webhooks")):
        for path, name in document.texts(("webhooks", index, "subscribedEvents")):
            _check_type(document, ("webhooks", index), path, name)
    for name in config.unmasked_paths() if config is not None and config.secret_key is None else ():
        needed = "needs secret_key or secret_key_file in the file: what it unmasks is kept sealed until then"
        document.report(("sinks", name, "unmask"), needed)
    check_templates(document, folder, config.sinks if config is not None else None)


def warnings(config: Config) -> list[str]:
    """What may be meant, and may not."""
    found = [f"no {what}: {why}" for what, why in _MISSING.items() if not getattr(config, what)]
    named = {sink for _, route in config.table() for sink in (*route.to, *route.fallback)}
    if config.store_password and not is_database(config.store):
        found.append("store_password: nobody asks for it, store is a file")
    for name, source in config.sources.items():
        if not source.secret:
            found.append(f'source "{name}": takes events from anyone, its secret is none')
        if any(is_demo(secret.get_secret_value()) for secret in source.secret):
            found.append(f'source "{name}": its secret is the one of the example, which everyone knows')
        if source.unmask:
            found.append(f'source "{name}": unmask brings {", ".join(source.unmask)} into store and templates in clear')
        if config.table() and not any(route.source is None or name in route.source for _, route in config.table()):
            found.append(f'source "{name}": no row takes its events')
    for name, sink in config.all_sinks().items():
        if not sink.enabled:
            found.append(f'sink "{name}": is disabled, nothing is kept for it')
        elif name not in named:
            found.append(f'sink "{name}": no row names it')
    return found


def is_demo(secret: str) -> bool:
    """Whether it is one of config.example.yaml's, and so no secret."""
    return secret.removeprefix("Bearer ").startswith("demo")


_MISSING = {"sources": "nothing can come in", "sinks": "nothing can go out", "routes": "events are kept and go nowhere"}


def _check_type(document: Document, row: KeyPath, path: KeyPath, glob: str) -> None:
    """A type without wildcards that is close to a known one, and is none, is misspelt."""
    name = glob.removeprefix("!")
    known = {*TYPES, *NATIVE_TYPES}
    if name in known or any(fnmatchcase(name, native) for native in NATIVE_TYPES):
        return
    if re.split("[._]", name.lower())[0] not in _FAMILIES or re.search(r"[*?\[]", name):
        return
    if close := get_close_matches(name, sorted(known), n=1, cutoff=0.8):
        document.report(row, f'no event has the type "{name}": did you mean "{close[0]}"?', document.position(path))


def _check_names(document: Document, row: KeyPath, key: str, kind: str, known: list[str]) -> None:
    for path, name in document.texts((*row, key)):
        if name not in known:
            document.report(row, f'no {kind} named "{name}": {suggestion(name, known)}', document.position(path))


def _check_fallback(document: Document, row: KeyPath, sinks: list[str]) -> None:
    to = {sink for _, sink in document.texts((*row, "to"))}
    for path, name in document.texts((*row, "fallback")):
        if name in to.intersection(sinks):
            text = f'"{name}" gets the event anyway: let it fall back to another sink'
            document.report(row, text, document.position(path))


def _takes_any_type(document: Document, row: KeyPath) -> bool:
    """Whether the row takes events of a source that names its types itself."""
    names = [name for _, name in document.texts((*row, "source"))] or document.names("sources")
    return any(document.value(("sources", name, "panel")) in OPEN_ENDED for name in names)


def _webhook_sinks(document: Document) -> Iterator[str]:
    """The names of the webhooks' sinks; reported where one is taken already."""
    taken = set(document.names("sinks"))
    for index, one in enumerate(document.entries("webhooks")):
        name = slug(one.get("name") if isinstance(one, dict) else None, index)
        if name in taken:
            path: KeyPath = ("webhooks", index)
            text = f'its sink would be called "{name}", and that name is taken'
            document.report(path, text, document.position((*path, "name")))
        taken.add(name)
        yield name
