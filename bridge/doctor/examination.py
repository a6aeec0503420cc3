"""The examination: everything looked at, in the order in which people would."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from bridge.admin import operations
from bridge.admin.language import language
from bridge.admin.shapes import Lane
from bridge.admin.wording.advice import advice
from bridge.config.endpoints import SourceEndpoint, endpoints
from bridge.config.load import Loaded
from bridge.config.model import Config
from bridge.doctor.directory import directory_findings
from bridge.doctor.file import file_findings
from bridge.doctor.machine import descriptor_findings, port_findings
from bridge.doctor.row import ExaminationRow, look, rows
from bridge.doctor.services import NotingHttp, asked_sinks, certificate_rows, clock_findings
from bridge.doctor.sources import source_rows
from bridge.doctor.store import store_findings
from bridge.errors import StoreError
from bridge.panels.base import SourceConfig
from bridge.sinks import SinkSettings
from bridge.sinks.reachability import Finding, FindingMark
from bridge.store import open_reader
from bridge.store.base import Standing
from bridge.store.migrate import HEAD
from bridge.store.queries.condition import condition
from bridge.store.reader import LedgerReader
from bridge.store_url import is_database, sqlite_file

#: Seconds: for each request, and for each look into the store.
WITHIN = 5.0
TEST_IT = "Send it a message to see more: panelbridge test {}"
LIST_THEM = "See what was answered, and to whom: panelbridge deliveries --sink {}"  # each has an address of their own


async def examine(path: Path, loaded: Loaded, *, now: datetime, within: float = WITHIN) -> list[ExaminationRow]:
    """All that was found, in order."""
    config, http = loaded.config, NotingHttp()
    with ExitStack() as stack:
        ledger = _ledger(config, within, stack)
        try:
            found = rows("config", file_findings(path, loaded))
            found += rows("store", store_findings(config, now=now, limit=within))
            found += rows("machine", descriptor_findings(config))
            found += rows("bridge", await port_findings(config, http, within=within))
            http.hosts.clear()  # from here on those that are not ours
            http.ahead.clear()
            found += source_rows(ledger, _sources(config), now=now)
            found += rows("directory", directory_findings(ledger))
            found += _sink_rows(
                config, await asked_sinks(config.all_sinks(), http, within=within), _lanes(config, ledger)
            )
            found += await certificate_rows(list(http.hosts), http, now=now, within=within)
            return found + rows("clock", clock_findings(http.ahead))
        finally:
            await http.close()


def broken(found: Sequence[ExaminationRow]) -> int:
    """How many of them are."""
    return sum(one.finding.mark is FindingMark.WRONG for one in found)


def _ledger(config: Config, limit: float, stack: ExitStack) -> LedgerReader | None:
    """What is looked up in a store that is there and of today; None otherwise, which its own rows say."""
    if not is_database(config.store) and not sqlite_file(config.store).exists():
        return None
    try:
        reader = open_reader(config.store_url(), limit=limit)
        stack.callback(reader.close)
        return reader if reader.read(condition).revision == HEAD else None
    except StoreError:
        return None


def _sources(config: Config) -> Mapping[str, tuple[SourceConfig, SourceEndpoint]]:
    return {one.name: (config.sources[one.name], one) for one in endpoints(config)}


def _lanes(config: Config, ledger: LedgerReader | None) -> dict[str, Lane]:
    try:
        return {one.sink: one for one in operations.lanes(ledger, config.all_sinks())} if ledger is not None else {}
    except StoreError:
        return {}


def _sink_rows(config: Config, found: Mapping[str, Finding], lanes: Mapping[str, Lane]) -> Iterator[ExaminationRow]:
    for name, settings in config.all_sinks().items():
        lane = lanes.get(name)
        finding = _with_advice(name, settings, _with_lane(name, found[name], lane))
        yield ExaminationRow("sink", name, finding)


def _with_lane(name: str, finding: Finding, lane: Lane | None) -> Finding:
    """What its lane adds: what waits for it, and that it is held though its service would take it."""
    waits = lane.pending + lane.waiting if lane is not None else 0
    waiting = f"; {waits} wait{'s' if waits == 1 else ''}" if waits else ""
    if lane is not None and lane.standing is not Standing.OPEN and finding.mark is not FindingMark.WRONG:
        text = f"{finding.text}; but its lane is {lane.standing}: {lane.reason}{waiting}"
        return look(text, f"Where that is mended: panelbridge resume {name}")
    return Finding(finding.mark, finding.text + waiting, finding.todo) if finding.mark is FindingMark.WRONG else finding


def _with_advice(name: str, settings: SinkSettings, finding: Finding) -> Finding:
    if finding.mark is not FindingMark.WRONG or finding.todo:
        return finding
    look_closer = TEST_IT if settings.addressing() is None else LIST_THEM
    todo = advice(language("en"), settings.type, finding.text) or look_closer.format(name)
    return Finding(finding.mark, finding.text, todo)
