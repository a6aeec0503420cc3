"""What messages are made of, as far as it can be known beforehand: languages, and templates that compile."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bridge.config.document import Document, KeyPath
from bridge.config.errors import any_of, suggestion
from bridge.config.orbvpn import SINK
from bridge.errors import Mistake
from bridge.markup.service import ServiceLook
from bridge.messages.catalog import LOCALES, language_of
from bridge.messages.renderer import SHIPPED, Renderer
from bridge.panels import CONFIGS, DIALECTS, OPEN_ENDED
from bridge.redaction import redacted
from bridge.settings import is_folder
from bridge.sinks import SERVICES, SinkSettings
from bridge.sinks.base import Tools
from bridge.sinks.http import Http


def check_templates(document: Document, folder: Path, sinks: Mapping[str, SinkSettings]) -> None:
    """Report the templates that do not compile, those that are not there, and the languages that we lack.

    `sinks` are the file's, those of them whose settings are right.
    """
    folders = _template_folders(document, folder)
    renderer = Renderer(folders=folders, timezone=ZoneInfo("UTC"), locale="en")
    for mistake in renderer.mistakes(SERVICES):
        document.mistakes.append(Mistake(mistake.line, 1, mistake.message, str(mistake.file)))
    for brand in _brand_folders(document, folder):
        own = Renderer(folders=[brand, *folders], timezone=ZoneInfo("UTC"), locale="en")
        for mistake in own.mistakes(SERVICES, within=brand):
            document.mistakes.append(Mistake(mistake.line, 1, mistake.message, str(mistake.file)))
        for mistake in own.unmatched(SERVICES, (), None, within=brand):
            document.warnings.append(Mistake(mistake.line, 1, mistake.message, str(mistake.file)))
    rows = range(len(document.entries("routes")))
    named = {name for row in rows for _, name in document.texts(("routes", row, "template"))}
    for mistake in renderer.unmatched(SERVICES, named, _beginnings(document)):
        document.warnings.append(Mistake(mistake.line, 1, mistake.message, str(mistake.file)))
    tools = Tools(Http(), DIALECTS)
    opened = {name: sink.open(tools) for name, sink in sinks.items()}
    looks = {name: sink.look for name, sink in opened.items()}
    undigested = {name for name, sink in opened.items() if not sink.digests}
    for name, look in looks.items():
        _check_look(document, ("sinks", name), look, renderer)
    for index, _ in enumerate(document.entries("routes")):
        _check_template(document, ("routes", index), looks, renderer, [*folders, SHIPPED])
        _check_digest(document, ("routes", index), undigested)


def _beginnings(document: Document) -> set[str] | None:
    """What types may begin with that the vocabulary has no word for; None where a source gives them any name."""
    if any(document.value(("sources", name, "panel")) in OPEN_ENDED for name in document.names("sources")):
        return None
    return {"bridge", *(word for config in CONFIGS for word in config.words())}


def _template_folders(document: Document, folder: Path) -> list[Path]:
    given = document.value(("templates",))
    return [folder / given] if isinstance(given, str) and is_folder(folder / given) else []


def _brand_folders(document: Document, folder: Path) -> list[Path]:
    """Those of brands that have words of their own."""
    brands = document.value(("people", "brands"))
    given = (
        [one.get("templates") for one in brands.values() if isinstance(one, dict)] if isinstance(brands, dict) else []
    )
    return [folder / one for one in given if isinstance(one, str) and is_folder(folder / one)]


def valid_sinks(document: Document) -> dict[str, SinkSettings]:
    """The sinks whose settings are right; what is wrong with the others is known already."""
    found = {}
    for name in document.names("sinks"):
        with suppress(ValidationError):
            found[name] = SINK.validate_python(document.value(("sinks", name)))
    return found


def _check_look(document: Document, path: KeyPath, look: ServiceLook, renderer: Renderer) -> None:
    if look.locale is not None and language_of(look.locale) not in LOCALES:
        document.report((*path, "locale"), f"should be {any_of(LOCALES)}")
    for _, source in look.inline:
        if wrong := renderer.wrong(source):
            document.report(_path_to(document.value(path), source, path), f"is no template: {wrong}")


def _path_to(value: Any, source: str, path: KeyPath) -> KeyPath:
    """The path inside of `value` where the text stands; `path` itself where it does not."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        if one == source:
            return (*path, key)
        if (found := _path_to(one, source, (*path, key))) != (*path, key):
            return found
    return path


def _check_template(
    document: Document, row: KeyPath, looks: dict[str, ServiceLook], renderer: Renderer, folders: list[Path]
) -> None:
    """A template that none of the row's services has is misspelt."""
    template = document.value((*row, "template"))
    found = (looks[sink].service for _, sink in document.texts((*row, "to")) if sink in looks)
    services = dict.fromkeys(service for service in found if service is not None)
    if isinstance(template, str) and services and not any(renderer.exists(one, template) for one in services):
        names = [file.stem for folder in folders for one in services for file in (folder / one.name).glob("*.j2")]
        document.report((*row, "template"), f'"{redacted(template)}" is not there: {suggestion(template, names)}')


def _check_digest(document: Document, row: KeyPath, undigested: set[str]) -> None:
    """A digest cannot go to a sink that takes every event by itself."""
    if document.value((*row, "digest")) is None:
        return
    for path, name in document.texts((*row, "to")):
        if name in undigested:
            document.report(
                row, f'"{redacted(name)}" takes every event by itself: it has no digests', document.position(path)
            )
