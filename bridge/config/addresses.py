"""Sinks with many addresses, the directory that these are looked up in, and the rows that lead to them."""

from collections.abc import Mapping

from bridge.config.document import Document, KeyPath
from bridge.config.errors import suggestion
from bridge.config.model import Config
from bridge.expressions import attributes_in
from bridge.people.address import Addressing
from bridge.people.directory import Record
from bridge.people.recipient import Audience
from bridge.sinks.base import AddressedConfig


def check_addresses(document: Document, config: Config) -> None:
    """Report what is wrong between addresses, the directory, and the rows that lead to them."""
    found = {name: one.addressing() for name, one in config.all_sinks().items()}
    addressed = {name: one for name, one in found.items() if one is not None}
    for name, sink in config.sinks.items():
        if isinstance(sink, AddressedConfig):
            _check_keys(document, ("sinks", name), sink)
    _check_directory(document, config, addressed)
    for index, _ in enumerate(document.entries("routes")):
        for path, name in document.texts(("routes", index, "fallback")):
            if name in addressed:
                text = f'"{name}" has an address for each {_whose(addressed[name])}: let it fall back to one of yours'
                document.report(("routes", index), text, document.position(path))
    for path, name in document.texts(("alerts", "to")):
        if name in addressed:
            text = f'"{name}" has an address for each {_whose(addressed[name])}: name one that is yours'
            document.report(("alerts",), text, document.position(path))


def _check_keys(document: Document, path: KeyPath, sink: AddressedConfig) -> None:
    """An expression asks a record for what records have."""
    known = [*Record.model_fields]
    for setting, source in sink.address_expressions().items():
        for name, key in attributes_in(source):
            if name in tuple(Audience) and key is not None and key not in known and not key.startswith("x_"):
                wrong = f'"{key}" is not known of {name}: {suggestion(key, known)} Own keys begin with x_'
                document.report((*path, setting), wrong)


def _check_directory(document: Document, config: Config, addressed: Mapping[str, Addressing]) -> None:
    directory, realms = config.directory, sorted(set(config.realms().values()))
    for name, one in addressed.items():
        if one.audience is not None and directory is None:
            document.report(("sinks", name), f"its {one.audience}s are looked up in directory, and there is none")
        if one.default and (directory is None or directory.default is None):
            document.report(("sinks", name, "unknown"), "needs a record under directory.default")
    if directory is None:
        return
    if directory.realm is None and len(realms) > 1:
        document.report(("directory",), f"needs realm, for there are several: {', '.join(realms)}")
    elif directory.realm is not None and directory.realm not in realms:
        document.report(
            ("directory", "realm"), f'no source has the realm "{directory.realm}": there are {", ".join(realms)}'
        )


def _whose(addressing: Addressing) -> str:
    return str(addressing.audience or "event")
