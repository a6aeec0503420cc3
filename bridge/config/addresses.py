"""Sinks with many addresses, the directory that these are looked up in, and the rows that lead to them."""

from collections.abc import Mapping

from bridge.config.directory import check_records
from bridge.config.document import Document, KeyPath
from bridge.config.errors import suggestion
from bridge.config.model import Config
from bridge.expressions import attributes_in
from bridge.people.address import Addressing
from bridge.people.recipient import Audience
from bridge.people.record import DirectoryRecord
from bridge.redaction import redacted
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
            if name in addressed and document.value(("routes", index, "audience")) != "user":
                text = f'"{name}" has an address for each {_whose(addressed[name])}: let it fall back to one of yours'
                document.report(("routes", index), text, document.position(path))
        _check_audience(document, ("routes", index), addressed)
    for report, settings in config.reports.items():
        _check_report(document, ("reports", report), addressed, each=settings.each is not None)
    for path, name in document.texts(("alerts", "to")):
        if name in addressed:
            text = f'"{name}" has an address for each {_whose(addressed[name])}: name one that is yours'
            document.report(("alerts",), text, document.position(path))


def _check_audience(document: Document, row: KeyPath, addressed: Mapping[str, Addressing]) -> None:
    """A row for customers leads to sinks of customers alone, and no other row does: its words are for them."""
    for_customers = document.value((*row, "audience")) == "user"
    for path, name in [*document.texts((*row, "to")), *(document.texts((*row, "fallback")) if for_customers else ())]:
        is_customers = name in addressed and addressed[name].audience is Audience.PERSON
        if is_customers and not for_customers:
            document.report(
                row, f'sink "{name}" is addressed to users: the row needs audience: user', document.position(path)
            )
        elif for_customers and not is_customers:
            text = f'sink "{redacted(name)}" is not addressed to users: audience: user is for those'
            document.report(row, text, document.position(path))
    for key in ("digest", "update", "template", "repeat") if for_customers else ():
        if document.value((*row, key)) is not None:
            document.report((*row, key), "is not possible with audience: user")
    for key in () if for_customers else ("category", "critical", "max_per_day"):
        if document.value((*row, key)) is not None:
            document.report((*row, key), "is for customers: the row needs audience: user")


def _check_report(document: Document, report: KeyPath, addressed: Mapping[str, Addressing], *, each: bool) -> None:
    """A report for each owner goes where owners have addresses of their own, and no other one does."""
    for path, name in document.texts((*report, "to")):
        is_owners = name in addressed and addressed[name].audience is Audience.OWNER
        if each and not is_owners:
            text = f'"{name}" has no address for each owner: each: owner is for sinks with {{{{ owner.… }}}} in theirs'
            document.report(report, text, document.position(path))
        elif name in addressed and not each:
            whose = _whose(addressed[name])
            text = f'"{name}" has an address for each {whose}: name one that is yours'
            hint = ", or write each: owner" if is_owners else ""
            document.report(report, text + hint, document.position(path))


def _check_keys(document: Document, path: KeyPath, sink: AddressedConfig) -> None:
    """An expression asks a record for what records have."""
    known = [*DirectoryRecord.model_fields]
    for setting, source in sink.address_expressions().items():
        for name, key in attributes_in(source):
            if name in tuple(Audience) and key is not None and key not in known and not key.startswith("x_"):
                wrong = f'"{redacted(key)}" is not known of {name}: {suggestion(key, known)} Own keys begin with x_'
                document.report((*path, *setting.split(".", 1)), wrong)


def _check_directory(document: Document, config: Config, addressed: Mapping[str, Addressing]) -> None:
    directory, realms = config.directory, sorted(set(config.realms().values()))
    for name, one in addressed.items():
        if one.audience is not None and one.needs_record and directory is None and not _has_links(config, name):
            document.report(("sinks", name), f"its {one.audience.kind}s are looked up in directory, and there is none")
        if one.default and one.audience is Audience.PERSON:
            document.report(("sinks", name, "unknown"), "default is not for a sink of customers: use drop")
        elif one.default and (directory is None or directory.default is None):
            document.report(("sinks", name, "unknown"), "needs a record under directory.default")
    if directory is None:
        return
    check_records(document, config, directory)
    if directory.realm is None and len(realms) > 1:
        document.report(("directory",), f"needs realm, for there are several: {', '.join(map(redacted, realms))}")
    elif directory.realm is not None and directory.realm not in realms:
        document.report(
            ("directory", "realm"),
            f'no source has the realm "{redacted(directory.realm)}": there are {", ".join(map(redacted, realms))}',
        )


def _has_links(config: Config, name: str) -> bool:
    """Whether customers can show a sink's bot where they are reached."""
    heard, sink = [config.ears(), *config.brands_ears().values()], config.all_sinks()[name].ears()
    return sink is not None and any(one is not None and one.sender == sink.sender for one in heard)


def _whose(addressing: Addressing) -> str:
    return addressing.audience.kind if addressing.audience is not None else "event"
