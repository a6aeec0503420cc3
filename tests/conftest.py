"""Fixtures that more than one folder needs, and what every test keeps to.

Whatever starts a process, a bridge, a command or PostgreSQL, has the mark `process`; `make test-fast` leaves it out.
"""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bridge.store import open_ledger
from bridge.store import postgres as postgres_engine
from tests.fakes import FakeClock
from tests.postgres import Postgres, a_postgres
from tests.processes import PATIENCE
from tests.shares import in_shares

# The power fails in a model alone (tests/powercut), so stores may lie in memory, where a commit waits for no disk.
MEMORY = Path("/dev/shm")  # noqa: S108
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2 << 30:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# How long an example takes says how busy the machine is, and nothing about the code. The same code has the same
# examples, so that it passes for all or for nobody; `make explore` makes up others.
settings.register_profile("full", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("full"), max_examples=15)
settings.register_profile("explore", settings.get_profile("full"), derandomize=False, max_examples=500)
settings.load_profile("full")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`auto`: two more than there are processors, for some wait while others work; `logical`: as many."""
    return (os.cpu_count() or 1) + (2 if config.option.numprocesses == "auto" else 0)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Twenty thousand tests are made, and none of it is garbage: looking for that would take half of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system")
unmarked: list[str] = []  # the test that runs, where it has no mark


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Who asks for the server has the mark; and what waits for processes begins first, at every worker its share of it.

    Before all others what takes longest: at the end it would be waited for alone.
    """
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("process")
    items.sort(key=lambda item: [item.get_closest_marker(mark) is None for mark in ("process", "long")])
    waiting = sum(item.get_closest_marker("process") is not None for item in items)
    items[:] = in_shares(items[:waiting], items[waiting:], getattr(config, "workerinput", {}).get("workercount", 1))


def _refuse_process(event: str, _arguments: tuple[object, ...]) -> None:
    if unmarked and event in STARTS:
        raise RuntimeError(f"{unmarked[0]} starts a process: it needs the mark `process`")


sys.addaudithook(_refuse_process)


@pytest.fixture(autouse=True)
def only_the_marked_start_processes(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("process") is None:
        unmarked.append(request.node.nodeid)
    yield
    unmarked.clear()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def new_file_url(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return f"sqlite:///{tmp_path}/panelbridge.db"


@pytest.fixture(scope="session")
def file_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables of a store, and nothing in them."""
    file = tmp_path_factory.mktemp("tables") / "panelbridge.db"
    with open_ledger(f"sqlite:///{file}"):
        return file


@pytest.fixture
def store_url(new_file_url: str, file_tables: Path, tmp_path: Path) -> str:
    """A new store that nothing is in."""
    shutil.copyfile(file_tables, tmp_path / "panelbridge.db")
    return new_file_url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests; who stops it starts one of his own."""
    with a_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A new, empty database."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@contextmanager
def patient_stores() -> Iterator[None]:
    """Stores in PostgreSQL that are opened here and now wait for as long as a busy machine takes.

    What is promised about that, the limits in seconds, tests/store/test_postgres.py looks at, and whole bridges do.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bridge.store.BRIDGE_PATIENCE", PATIENCE)
        patch.setitem(postgres_engine._CONNECT_ARGS, "connect_timeout", f"{PATIENCE:.0f}")
        for limit in ("idle_in_transaction_session_timeout", "lock_timeout"):
            patch.setitem(postgres_engine._SETTINGS, limit, f"{PATIENCE:.0f}s")
        yield


@pytest.fixture(scope="session")
def postgres_tables(postgres: Postgres) -> str:
    """A database with the tables of a store, and nothing in them."""
    url = postgres.fresh()
    with patient_stores(), open_ledger(url):
        return url


@pytest.fixture
def postgres_store_url(postgres: Postgres, postgres_tables: str) -> Iterator[str]:
    """A new store that nothing is in."""
    url = postgres.fresh(like=postgres_tables)
    with patient_stores():
        yield url
    postgres.drop(url)


EACH_ENGINE = ["sqlite", pytest.param("postgresql", marks=pytest.mark.process)]


@pytest.fixture(params=EACH_ENGINE)
def any_store_url(request: pytest.FixtureRequest) -> str:
    """A store on each engine."""
    url: str = request.getfixturevalue("store_url" if request.param == "sqlite" else "postgres_store_url")
    return url


@pytest.fixture(params=EACH_ENGINE)
def any_database_url(request: pytest.FixtureRequest) -> str:
    """What is to become a store, on each engine."""
    url: str = request.getfixturevalue("new_file_url" if request.param == "sqlite" else "postgres_url")
    return url
