"""What doctor says of each thing that it looks at: the file, the store, the machine, the clock, the sources."""

import resource
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from aiohttp import web
from yarl import URL

from bridge.config.endpoints import endpoints
from bridge.config.load import load
from bridge.doctor import machine, store
from bridge.doctor.file import file_findings
from bridge.doctor.machine import descriptor_findings, port_findings
from bridge.doctor.services import ENDS_SOON, Host, certificate_rows, clock_ahead, clock_findings
from bridge.doctor.sources import source_rows
from bridge.doctor.store import store_findings
from bridge.sinks.http import Http
from bridge.sinks.reachability import Finding, FindingMark
from bridge.store import open_ledger, open_outbox
from bridge.store.backend import open_engine
from tests.certificates import TRUSTED, certificate
from tests.fakes import an_event, an_intake
from tests.processes import free_port
from tests.sinks.test_reach import Silent, a_host

WITHIN = 60.0  # seconds
NOW = datetime.now(UTC)
LONG = "the-long-secret-of-berlin"


def marks(findings: Iterable[Finding], part: str) -> list[FindingMark]:
    """How those stand that speak of it."""
    return [one.mark for one in findings if part in one.text]


def a_file(folder: Path, text: str = "") -> Path:
    file = folder / "config.yaml"
    file.write_text(f"store: sqlite:///{folder}/panelbridge.db\n{text}")
    file.chmod(0o600)
    folder.chmod(0o700)
    return file


def of_file(file: Path) -> list[Finding]:
    return list(file_findings(file, load(file)))


@pytest.mark.parametrize(
    ("mode", "mark"),
    [(0o600, []), (0o644, []), (0o660, [FindingMark.LOOK]), (0o666, [FindingMark.WRONG]), (0o602, [FindingMark.WRONG])],
)
def test_who_may_write_the_file_or_its_folder(tmp_path: Path, mode: int, mark: list[FindingMark]) -> None:
    file = a_file(tmp_path)
    file.chmod(mode)
    assert marks(of_file(file), "can write it") == mark
    file.chmod(0o600)
    tmp_path.chmod(mode | 0o100)
    assert marks(of_file(file), "can write it") == mark
    tmp_path.chmod(0o700)


def test_in_a_folder_where_each_may_change_only_his_own_nothing_is_wrong(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    tmp_path.chmod(0o1777)
    assert marks(of_file(file), "can write it") == []


@pytest.mark.parametrize(
    ("secret", "mode", "mark"),
    [(LONG, 0o644, [FindingMark.LOOK]), (LONG, 0o600, []), ("demo-marzban-secret", 0o644, []), ("none", 0o644, [])],
)
def test_a_secret_that_everyone_can_read(tmp_path: Path, secret: str, mode: int, mark: list[FindingMark]) -> None:
    file = a_file(tmp_path, f"sources: {{berlin: {{panel: marzban, secret: {secret}}}}}\n")
    file.chmod(mode)
    assert marks(of_file(file), "everyone on this machine can read it") == mark


def test_a_secret_in_a_file_of_its_own_is_looked_for_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(LONG)
    (tmp_path / "secret").chmod(0o644)
    file = a_file(tmp_path, "sources: {berlin: {panel: marzban, secret_file: secret}}\n")
    [found] = [one for one in of_file(file) if "can read it" in one.text]
    assert found.todo == f"chmod o-r {tmp_path}/secret"


@pytest.mark.parametrize(("secret", "mark"), [("short", [FindingMark.LOOK]), (LONG, []), ("none", []), ("demo-x", [])])
def test_a_secret_that_can_be_guessed(tmp_path: Path, secret: str, mark: list[FindingMark]) -> None:
    file = a_file(tmp_path, f"sources: {{berlin: {{panel: marzban, secret: {secret}}}}}\n")
    found = of_file(file)
    assert marks(found, "can be guessed") == mark
    assert [one for one in found if secret in (one.text + one.todo) and secret != "none"] == []


def of_store(file: Path) -> list[Finding]:
    return list(store_findings(load(file).config, now=datetime.now(UTC), limit=WITHIN))


async def test_a_store_that_is_well(tmp_path: Path, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event()))
    told, *rest = of_store(a_file(tmp_path))
    assert told.mark is FindingMark.OK
    assert "SQLite " in told.text
    assert "events since 21 Nov 2026" in told.text
    assert [one.mark for one in rest] == [FindingMark.OK]


@pytest.mark.parametrize(
    ("revision", "mark", "text"),
    [("0001", FindingMark.LOOK, "of an older panelbridge"), ("9999", FindingMark.WRONG, "of a newer panelbridge")],
)
async def test_tables_of_another_version_are_told_and_left_as_they_are(
    tmp_path: Path, store_url: str, revision: str, mark: FindingMark, text: str
) -> None:
    async with open_outbox(store_url):
        pass
    engine = open_engine(store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    assert marks(of_store(a_file(tmp_path)), text) == [mark]
    with engine.begin() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one() == revision
    engine.dispose()


async def test_a_store_that_others_may_read_is_told(tmp_path: Path, store_url: str) -> None:
    async with open_outbox(store_url):
        pass
    (tmp_path / "panelbridge.db").chmod(0o644)
    assert marks(of_store(a_file(tmp_path)), "others than its owner could read it") == [FindingMark.LOOK]
    assert (tmp_path / "panelbridge.db").stat().st_mode & 0o077 == 0
    assert marks(of_store(a_file(tmp_path)), "could read it") == []


def test_what_is_no_store_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "panelbridge.db").write_bytes(b"this is no database" * 100)
    assert marks(of_store(a_file(tmp_path)), "file is not a database") == [FindingMark.WRONG]


@pytest.mark.parametrize(("free", "mark"), [(5e7, FindingMark.WRONG), (5e8, FindingMark.LOOK), (5e10, FindingMark.OK)])
def test_the_room_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, mark: FindingMark) -> None:
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert marks(of_store(a_file(tmp_path)), "free on its disk") == [mark]


async def test_a_log_that_nobody_moves_into_the_file_is_told(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LARGE_LOG", 0)
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event()))
        assert marks(of_store(a_file(tmp_path)), "its log has grown to") == [FindingMark.LOOK]


async def test_a_file_system_of_another_machine_is_told(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_outbox(store_url):
        pass
    monkeypatch.setattr(store, "_file_system", lambda _: "nfs4")
    assert marks(of_store(a_file(tmp_path)), "lies on nfs4") == [FindingMark.WRONG]


@pytest.mark.process
async def test_a_database_says_its_version_and_one_that_is_away_says_why(tmp_path: Path, postgres_url: str) -> None:
    async with open_outbox(postgres_url) as outbox:
        await outbox.put(an_intake(an_event()))
    file = tmp_path / "config.yaml"
    file.write_text(f"store: {postgres_url}\n")
    told, *more = of_store(file)
    assert told.mark is FindingMark.OK
    assert "PostgreSQL " in told.text
    assert all("connections left" in one.text for one in more)  # others test on the same server
    file.write_text(f"store: postgresql+psycopg://panelbridge:s3cr3t-of-it@127.0.0.1:{free_port()}/panelbridge\n")
    [told] = of_store(file)
    assert told.mark is FindingMark.WRONG
    assert "s3cr3t-of-it" not in told.text


@pytest.mark.parametrize(
    ("hard", "mark"), [(300, FindingMark.LOOK), (2**20, FindingMark.OK), (resource.RLIM_INFINITY, FindingMark.OK)]
)
def test_how_much_may_be_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard: int, mark: FindingMark) -> None:
    monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (256, hard))
    [found] = descriptor_findings(load(a_file(tmp_path)).config)
    assert found.mark is mark


async def of_ports(tmp_path: Path, port: int, http: Http, listen: str = "127.0.0.1") -> Finding:
    file = a_file(tmp_path, f"listen: {listen}:{port}\nadmin: {{listen: null}}\n")
    [found] = await port_findings(load(file).config, http, within=WITHIN)
    return found


@pytest.mark.parametrize(
    ("alive", "ready", "mark", "text"),
    [
        ({"status": "ok"}, (200, {"status": "ready"}), FindingMark.OK, "the bridge runs"),
        ({"status": "ok"}, (503, {"error": "store: disk full"}), FindingMark.WRONG, "takes nothing: store: disk full"),
        ({"hello": "world"}, (200, {}), FindingMark.WRONG, "another program answers"),
    ],
)
async def test_who_has_its_port(
    tmp_path: Path, http: Http, alive: object, ready: tuple[int, object], mark: FindingMark, text: str
) -> None:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(alive)

    async def readyz(_: web.Request) -> web.Response:
        return web.json_response(ready[1], status=ready[0])

    app = web.Application()
    app.router.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found = await of_ports(tmp_path, runner.addresses[0][1], http)
    finally:
        await runner.cleanup()
    assert found.mark is mark
    assert text in found.text


async def test_a_port_that_nobody_has_is_free(tmp_path: Path, http: Http) -> None:
    found = await of_ports(tmp_path, free_port(), http)
    assert found.mark is FindingMark.UNKNOWN
    assert "the port is free" in found.text


async def test_an_address_that_this_machine_has_not_is_told(tmp_path: Path, http: Http) -> None:
    found = await of_ports(tmp_path, free_port(), http, "192.0.2.1")
    assert found.mark is FindingMark.WRONG
    assert "cannot listen on 192.0.2.1" in found.text


@pytest.mark.parametrize(
    ("began", "ended", "told", "ahead"),
    [
        (100.0, 100.2, 100, 0.0),
        (100.9, 101.1, 100, 0.0),
        (100.0, 130.0, 100, 0.0),  # a slow answer makes no clock wrong
        (111.0, 111.5, 100, 10.0),
        (90.0, 90.5, 100, -9.5),
    ],
)
def test_a_clock_is_off_by_what_no_answer_allows_for(began: float, ended: float, told: float, ahead: float) -> None:
    assert clock_ahead(began, ended, told) == ahead


@pytest.mark.parametrize(
    ("ahead", "mark"),
    [
        ([], FindingMark.UNKNOWN),
        ([0.0], FindingMark.OK),
        ([0.0, 0.0, 900.0], FindingMark.OK),  # one service's own clock
        ([10.0, 12.0], FindingMark.LOOK),
        ([-300.0], FindingMark.WRONG),
    ],
)
def test_what_most_services_say_of_the_clock_holds(ahead: list[float], mark: FindingMark) -> None:
    [found] = clock_findings(ahead)
    assert found.mark is mark


@pytest.mark.parametrize(("left", "mark"), [(ENDS_SOON / 2, FindingMark.LOOK), (ENDS_SOON * 2, FindingMark.OK)])
async def test_a_certificate_that_ends_soon_is_told(
    tmp_path: Path, http: Http, monkeypatch: pytest.MonkeyPatch, left: timedelta, mark: FindingMark
) -> None:
    file = certificate(tmp_path, ends=NOW + left)
    monkeypatch.setenv(TRUSTED, str(file))
    async with a_host(Silent(), file) as port:
        hosts = [Host(URL(f"https://127.0.0.1:{port}"), None), Host(URL("http://127.0.0.1:1"), None)]
        [row] = await certificate_rows(hosts, http, now=NOW, within=WITHIN)
    assert row.finding.mark is mark


@pytest.mark.parametrize(
    ("hours", "more", "mark"),
    [
        ([], "", FindingMark.LOOK),
        ([0.1], "", FindingMark.OK),
        ([30, 0.1], "", FindingMark.OK),
        ([9.2, 9.1, 9], "", FindingMark.LOOK),  # usually every six minutes
        ([9], "", FindingMark.OK),  # nobody knows yet what is usual
        ([9], ", silent_after: 1h", FindingMark.LOOK),
        ([9], ", silent_after: 12h", FindingMark.OK),
    ],
)
async def test_a_source_that_has_fallen_silent_is_told(
    tmp_path: Path, store_url: str, hours: list[float], more: str, mark: FindingMark
) -> None:
    async with open_outbox(store_url) as outbox:
        for ago in hours:
            await outbox.put(an_intake(an_event(at=NOW - timedelta(hours=ago))))
    file = a_file(tmp_path, f"sources: {{marzban: {{panel: marzban, secret: {LONG}{more}}}}}\n")
    config = load(file).config
    sources = {one.name: (config.sources[one.name], one) for one in endpoints(config)}
    with open_ledger(store_url) as ledger:
        [row] = source_rows(ledger, sources, now=NOW)
    assert row.finding.mark is mark
    assert LONG not in row.finding.text + row.finding.todo
