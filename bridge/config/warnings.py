"""What may be meant, and may not: parts that nothing leads to, and rows that nothing reaches."""

import os
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote

from bridge.chart import can_be_drawn
from bridge.config.document import Document, KeyPath
from bridge.config.model import Config
from bridge.panels.base import PolledConfig
from bridge.routing import OWN, Route
from bridge.sinks.base import ChatConfig
from bridge.store_url import is_database, sqlite_file

_MISSING = {"sources": "nothing can come in", "sinks": "nothing can go out", "routes": "events are kept and go nowhere"}


def warn_of_parts(document: Document, config: Config) -> None:
    """Warn of sources and sinks that nothing comes from, or goes to."""
    there_are = {"sources": config.sources, "sinks": config.all_sinks(), "routes": config.table()}
    for what, why in _MISSING.items():
        if not there_are[what]:
            document.warn((), f"no {what}: {why}", document.key_position((what,)))
    if config.store_password and not is_database(config.store):
        document.warn(("store_password",), "nobody asks for it, store is a file")
    if not is_database(config.store) and (obstacle := unwritable(sqlite_file(config.store))):
        document.warn(("store",), f"cannot be written by who asks: {obstacle}")
    _warn_of_sources(document, config)
    _warn_of_sinks(document, config)
    _warn_of_reports(document, config)
    _warn_of_unread_keys(document, config)


def unwritable(file: Path) -> str | None:
    """Why the user who asks cannot write a store there, or make its folder; None where that can be done."""
    try:
        if file.exists():
            if not file.is_file():
                return f"{file} is no file"
            denied = next((one for one in (file, file.parent) if not os.access(one, os.W_OK)), None)
        else:
            above = next(one for one in file.parents if one.exists())
            if not above.is_dir():
                return f"{above} is no folder"
            denied = None if os.access(above, os.W_OK | os.X_OK) else above
    except OSError as error:
        return f"{file}: {error.strerror}"
    return f"{denied}: permission denied" if denied else None


def _warn_of_sources(document: Document, config: Config) -> None:
    for name, source in config.sources.items():
        path: KeyPath = ("sources", name)
        if not source.secret and not isinstance(source, PolledConfig):
            document.warn(path, "takes events from anyone, its secret is none", document.position((*path, "secret")))
        if config.is_reachable() and any(is_demo(secret.get_secret_value()) for secret in source.secret):
            what = "its secret is the one of the example, which everyone knows"
            document.warn(path, what, document.position((*path, "secret")))
        secrets = [secret.get_secret_value() for secret in source.secret]
        if obstacle := next((why for one in secrets if (why := source.open().obstacle(one))), None):
            document.warn(path, f"its secret {obstacle}", document.position((*path, "secret")))
        if secrets and "{secret}" in source.open().path and any(in_path(one) != one for one in secrets):
            what = "its secret stands in the address, and has a sign that must be percent-encoded there, as / by %2F"
            document.warn(path, what, document.position((*path, "secret")))
        if source.unmask:
            what = f"brings {', '.join(source.unmask)} into store and templates in clear"
            document.warn((*path, "unmask"), what)
        if source.silent_after is not None and not config.wants_alerts():
            document.warn((*path, "silent_after"), "nobody is told: write alerts, or a row that matches bridge.*")
        if config.table() and not any(route.source is None or name in route.source for _, route in config.table()):
            document.warn(path, "no row takes its events", document.key_position(path))


def _warn_of_sinks(document: Document, config: Config) -> None:
    named = {sink for _, route in config.table() for sink in (*route.to, *route.fallback)}
    named.update(config.alerts.to if config.alerts else ())
    named.update(sink for brand in config.brands().values() for sink in brand.sinks.values())
    named.update(sink for report in config.reports.values() for sink in report.to)
    paths = sink_paths(config)
    for name, sink in config.all_sinks().items():
        if not sink.enabled:
            switch = "active" if paths[name][0] == "webhooks" else "enabled"
            where = document.position((*paths[name], switch))
            document.warn(("sinks", name), "is disabled, nothing is kept for it", where)
        elif name not in named:
            document.warn(("sinks", name), "no row names it", document.key_position(paths[name]))


def _warn_of_reports(document: Document, config: Config) -> None:
    """What is compared is counted for as long as it is kept; what draws pictures is an extra."""
    sinks = config.all_sinks()
    for name, report in config.reports.items():
        if config.keep.operators < (reach := report.rhythm().reach.total_seconds()):
            days = round(reach / 86400)
            what = f"looks back {days} days, and what is older than keep is not counted: write keep: {days}d"
            document.warn(("reports", name), what, document.key_position(("reports", name)))
        shown = (sink for to in report.to if isinstance(sink := sinks.get(to), ChatConfig) and sink.service.pictures)
        if report.picture and not can_be_drawn() and any(shown):
            what = "its bars are signs in the text: pictures need what is not installed, "
            document.warn(("reports", name, "picture"), f"{what}pip install 'panelbridge[pictures]'")


def _warn_of_unread_keys(document: Document, config: Config) -> None:
    """OrbVPN's configuration objects have keys that nothing reads: none is passed over in silence."""
    for index, webhook in enumerate(config.webhooks):
        for line in webhook.unread():
            document.warn(("webhooks", index), line)


def sink_paths(config: Config) -> dict[str, KeyPath]:
    """Where in the file each sink is, the webhooks' among them."""
    webhooks: dict[str, KeyPath] = {
        name: ("webhooks", index) for index, (name, _) in enumerate(config.named_webhooks())
    }
    return webhooks | {name: ("sinks", name) for name in config.sinks}


def warn_of_rows(document: Document, config: Config) -> None:
    """Warn of rows that no event reaches, for one above takes all of theirs and stops."""
    rows = config.table()
    for index, (_, route) in enumerate(rows):
        above = next((name for name, one in rows[:index] if one.stop and _takes_all_of(one, route)), None)
        if above is not None:
            path: KeyPath = ("routes", index)
            if index >= len(config.routes):
                path = ("webhooks", index - len(config.routes))
            document.warn(path, f"no event gets here: {above} takes all of them, and stops")


def _takes_all_of(above: Route, below: Route) -> bool:
    """Whether the row above surely takes every event that the one below would."""
    if above.when is not None:
        return False
    if above.source is not None and not (below.source and set(below.source) <= set(above.source)):
        return False
    if any(glob.startswith("!") for glob in above.match):
        return set(above.match) == set(below.match)
    return all(any(_covers(one, glob) for one in above.match) for glob in _wanted(below))


def _covers(wide: str, narrow: str) -> bool:
    """Whether every name that `narrow` takes is surely one that `wide` takes: as `user.*` covers `user.usage_*`."""
    if wide == narrow:
        return True
    if narrow.startswith(OWN) and not wide.startswith(OWN):
        return False
    return not set("?[") & set(wide) and "[" not in narrow and fnmatchcase(narrow, wide)


def _wanted(route: Route) -> tuple[str, ...]:
    return tuple(glob for glob in route.match if not glob.startswith("!")) or ("*",)


def is_demo(secret: str) -> bool:
    """Whether it is one of config.example.yaml's, and so no secret."""
    return secret.removeprefix("Bearer ").startswith("demo")


def in_path(secret: str) -> str:
    """The secret as a segment of an address's path: percent-encoded, but for what may stand there (RFC 3986, pchar)."""
    return quote(secret, safe="!$&'()*+,;=:@")
