"""What no part can see by itself: names that lead nowhere, types that no panel knows, and what may not be meant."""

from collections.abc import Iterator
from pathlib import Path

from bridge.admin.settings import AdminSettings
from bridge.config.addresses import check_addresses
from bridge.config.admin import check_admin
from bridge.config.advice import check_advice
from bridge.config.brands import check_brands
from bridge.config.document import Document, KeyPath
from bridge.config.errors import suggestion
from bridge.config.globs import check_globs
from bridge.config.model import Config
from bridge.config.orbvpn import slug
from bridge.config.people import check_people
from bridge.config.templates import check_templates, valid_sinks
from bridge.config.warnings import sink_paths, warn_of_parts, warn_of_rows
from bridge.panels import CONFIGS as SOURCES
from bridge.redaction import may_be_repeated, redacted
from bridge.settings import Settings
from bridge.sinks import CONFIGS as SINKS
from bridge.vocabulary import OWN_SOURCE

_MODELS: tuple[type[Settings], ...] = (Config, AdminSettings, *SINKS, *SOURCES)
#: The settings that are secrets, or that hold some.
_SECRET_KEYS = frozenset(
    name for model in _MODELS for name, setting in model.model_fields.items() if "SecretStr" in str(setting.annotation)
)


def check(document: Document, folder: Path, config: Config | None) -> None:
    """Report what is wrong between the parts, and in what they lead to. `folder` is the file's own."""
    sinks = [*document.names("sinks"), *_webhook_sinks(document)]
    sources = [*document.names("sources"), OWN_SOURCE]
    if OWN_SOURCE in document.names("sources"):
        taken = f'no source can be called "{OWN_SOURCE}": under that name the bridge tells of itself'
        document.report(("sources",), taken, document.key_position(("sources", OWN_SOURCE)))
    for index, _ in enumerate(document.entries("routes")):
        row: KeyPath = ("routes", index)
        _check_names(document, row, "to", "sink", sinks)
        _check_names(document, row, "fallback", "sink", sinks)
        _check_names(document, row, "source", "source", sources)
        _check_fallback(document, row, sinks)
    _check_names(document, ("alerts",), "to", "sink", sinks)
    for name in document.names("reports"):
        _check_names(document, ("reports", name), "to", "sink", sinks)
    for name in config.unmasked_paths() if config is not None and config.secret_key is None else ():
        needed = "needs secret_key or secret_key_file in the file: what it unmasks is kept sealed until then"
        document.report(("sinks", name, "unmask"), needed)
    check_globs(document)
    for path, what in document.lookalikes.items():
        document.warn(path, what)
    for path, what in document.doubts.items():
        if _SECRET_KEYS.intersection(map(str, path)):  # a template may have as many lines as it likes
            document.warn(path, what)
    valid = valid_sinks(document) if config is None else config.sinks
    check_templates(document, folder, valid)
    if config is None:
        check_advice(document, {name: (("sinks", name), sink) for name, sink in valid.items()})
        return
    check_admin(document, config)
    check_addresses(document, config)
    check_people(document, config)
    check_brands(document, config)
    paths = sink_paths(config)
    check_advice(document, {name: (paths[name], sink) for name, sink in config.all_sinks().items()})
    warn_of_parts(document, config)
    warn_of_rows(document, config)


def _check_names(document: Document, row: KeyPath, key: str, kind: str, known: list[str]) -> None:
    for path, name in document.texts((*row, key)):
        if name not in known:
            there_are = suggestion(name, filter(may_be_repeated, known))
            document.report(row, f'no {kind} named "{redacted(name)}": {there_are}', document.position(path))


def _check_fallback(document: Document, row: KeyPath, sinks: list[str]) -> None:
    to = {sink for _, sink in document.texts((*row, "to"))}
    for path, name in document.texts((*row, "fallback")):
        if name in to.intersection(sinks):
            text = f'"{redacted(name)}" gets the event anyway: let it fall back to another sink'
            document.report(row, text, document.position(path))


def _webhook_sinks(document: Document) -> Iterator[str]:
    """The names of the webhooks' sinks; reported where one is taken already."""
    taken = set(document.names("sinks"))
    for index, one in enumerate(document.entries("webhooks")):
        name = slug(one.get("name"), one.get("id")) if isinstance(one, dict) else slug(None)
        if name in taken:
            path: KeyPath = ("webhooks", index)
            text = f'its sink would be called "{redacted(name)}", and that name is taken'
            document.report(path, text, document.position((*path, "name")))
        taken.add(name)
        yield name
