"""What messages are made of, as far as it can be known beforehand: languages, and templates that compile."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from bridge.config.document import Document, Spot
from bridge.config.errors import near
from bridge.errors import Mistake
from bridge.message import Look
from bridge.messages.catalog import LOCALES
from bridge.messages.renderer import SHIPPED, Renderer
from bridge.panels import DIALECTS
from bridge.sinks import SinkSettings
from bridge.sinks.base import Tools
from bridge.sinks.http import Http


def check_words(document: Document, folder: Path, sinks: Mapping[str, SinkSettings] | None) -> None:
    """Note the templates that do not compile, those that are not there, and the languages that we lack.

    `sinks` are the file's where it is right so far; else those that are right are found one by one.
    """
    folders = _templates(document, folder)
    renderer = Renderer(folders=folders, timezone=ZoneInfo("UTC"), locale="en")
    for mistake in renderer.mistakes():
        document.mistakes.append(Mistake(mistake.line, 1, mistake.message, str(mistake.file)))
    found = _right_ones(document) if sinks is None else sinks.items()
    tools = Tools(Http(), DIALECTS)
    opened = {name: sink.open(tools) for name, sink in found}
    looks = {name: sink.look for name, sink in opened.items()}
    one_by_one = {name for name, sink in opened.items() if not sink.digests}
    for name, look in looks.items():
        _check_look(document, ("sinks", name), look, renderer)
    for index, _ in enumerate(document.entries("routes")):
        _check_row(document, ("routes", index), looks, renderer, [*folders, SHIPPED])
        _check_digest(document, ("routes", index), one_by_one)


def _templates(document: Document, folder: Path) -> list[Path]:
    given = document.at(("templates",))
    return [folder / given] if isinstance(given, str) and (folder / given).is_dir() else []


def _right_ones(document: Document) -> Iterator[tuple[str, SinkSettings]]:
    """The sinks whose settings are right; what is wrong with the others is known already."""
    settings: TypeAdapter[SinkSettings] = TypeAdapter(SinkSettings)
    for name in document.names("sinks"):
        with suppress(ValidationError):
            yield name, settings.validate_python(document.at(("sinks", name)))


def _check_look(document: Document, spot: Spot, look: Look, renderer: Renderer) -> None:
    if look.locale is not None and look.locale.replace("-", "_").partition("_")[0].lower() not in LOCALES:
        document.blame((*spot, "locale"), f"should be {', '.join(LOCALES[:-1])} or {LOCALES[-1]}")
    for _, source in look.inline:
        if wrong := renderer.wrong(source):
            document.blame(_where(document.at(spot), source, spot), f"is no template: {wrong}")


def _where(value: Any, source: str, spot: Spot) -> Spot:
    """The spot inside of `value` where the text stands; `spot` itself where it does not."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        if one == source:
            return (*spot, key)
        if (found := _where(one, source, (*spot, key))) != (*spot, key):
            return found
    return spot


def _check_row(document: Document, row: Spot, looks: dict[str, Look], renderer: Renderer, folders: list[Path]) -> None:
    """A template that none of the row's services has is misspelt."""
    template = document.at((*row, "template"))
    services = {looks[sink].service for _, sink in document.texts((*row, "to")) if sink in looks} - {""}
    if isinstance(template, str) and services and not any(renderer.exists(one, template) for one in services):
        files = (file for folder in folders for one in services for file in (folder / one).glob("*.j2"))
        document.blame((*row, "template"), f'"{template}" is not there: {near(template, [one.stem for one in files])}')


def _check_digest(document: Document, row: Spot, one_by_one: set[str]) -> None:
    """A digest cannot go to a sink that takes every event by itself."""
    if document.at((*row, "digest")) is None:
        return
    for spot, name in document.texts((*row, "to")):
        if name in one_by_one:
            document.blame(row, f'"{name}" takes every event by itself: it has no digests', document.place(spot))
