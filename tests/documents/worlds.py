"""What has to be there when a documented way is gone, and what has to be there at its end."""

import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psycopg

from bridge.store import open_ledger
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from tests.documents import kept
from tests.documents.desk import Desk
from tests.pages import blocks
from tests.postgres import Postgres
from tests.processes import free_port
from tests.tools import needed

World = Callable[[Desk, Postgres], AbstractContextManager[None]]
STORE, BACKUP = "/var/lib/panelbridge/panelbridge.db", "/backup/panelbridge.db"
INSIDE = ("127.0.0.1:8080",)  # what is moved where commands name a container's folders


def block(first: str) -> str:
    """The documented block that begins so."""
    [text] = {one.text for one in blocks("sh") if one.text.startswith(first)}
    return text


def answers(desk: Desk) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{desk.port}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def deliveries(url: str) -> int:
    with open_ledger(url) as ledger:
        return len(ledger.read(delivery_records, DeliveryQuery(limit=10_000)))


def machine(desk: Desk, path: str) -> Path:
    return Path(desk.moved[path.rpartition("/")[0]]) / path.rpartition("/")[2]


@contextmanager
def project(desk: Desk, _: Postgres) -> Iterator[None]:
    """A copy of the repository, with a file of the operator's and a store."""
    desk.lay_out_the_project()
    shutil.copy(desk.folder / "config.example.yaml", desk.folder / "config.yaml")
    kept.fill(desk.folder / "var" / "panelbridge.db")
    yield


@contextmanager
def running(desk: Desk, postgres: Postgres) -> Iterator[None]:
    """A bridge with the example, which says yes to what is posted."""
    needed("curl")
    with project(desk, postgres), desk.serving("panelbridge run --config config.example.yaml", lambda: answers(desk)):
        yield


@contextmanager
def running_with_any_json(desk: Desk, _: Postgres) -> Iterator[None]:
    """A bridge with the file that stands above the command."""
    needed("curl")
    text = next(one.text for one in blocks("yaml") if one.page.name == "panels.md" and "backups:" in one.text)
    desk.environment["BACKUP_SECRET"] = "a-long-random-text"
    sinks = "sinks: {here: {type: console}}"
    (desk.folder / "config.yaml").write_text(f"listen: 127.0.0.1:{desk.port}\n{text}{sinks}\n")
    with desk.serving("panelbridge run", lambda: answers(desk)):
        yield


@contextmanager
def administered(desk: Desk, _: Postgres) -> Iterator[None]:
    """A bridge with an admin side that asks for a token, and a store that has what is asked for."""
    needed("curl")
    kept.fill(desk.folder / "panelbridge.db")
    port, token = free_port(), "a-long-random-text"
    desk.moved["127.0.0.1:8081"] = f"127.0.0.1:{port}"
    desk.environment["PANELBRIDGE_ADMIN_TOKEN"] = token
    admin = f"admin: {{listen: 127.0.0.1:{port}, token: {token}}}"
    (desk.folder / "config.yaml").write_text(f"listen: 127.0.0.1:{desk.port}\n{admin}\n{kept.WITH_BOT}")
    with desk.serving("panelbridge run", lambda: answers(desk)):
        yield


@contextmanager
def pulled(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with project(desk, postgres):
        desk.lay_out_upstream()
        yield


@contextmanager
def empty_compose(desk: Desk, _: Postgres) -> Iterator[None]:
    desk.lay_out_the_project()
    yield
    assert (desk.folder / "panelbridge" / "config.yaml").exists()


@contextmanager
def compose(desk: Desk, postgres: Postgres) -> Iterator[None]:
    """The project as the README has it set up, with a store on its volume."""
    with empty_compose(desk, postgres):
        desk.typed(block("mkdir -p panelbridge"))
        kept.fill(volume(desk) / "var" / "panelbridge.db")
        yield


@contextmanager
def compose_pulled(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with compose(desk, postgres):
        desk.lay_out_upstream()
        yield
        assert (volume(desk) / "before-upgrade.db").exists()


@contextmanager
def compose_backup(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with compose(desk, postgres):
        yield
        assert deliveries(f"sqlite:///{desk.folder}/backup.db") > kept.LAST
        assert not (volume(desk) / "backup.db").exists()


@contextmanager
def compose_restore(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with compose(desk, postgres):
        desk.typed(block("docker compose exec panelbridge panelbridge backup"))
        store = volume(desk) / "var" / "panelbridge.db"
        store.unlink()
        yield
        assert deliveries(f"sqlite:///{store}") > kept.LAST


@contextmanager
def stored(desk: Desk, _: Postgres) -> Iterator[None]:
    """A store where a service has it, and the file that names it."""
    store = machine(desk, STORE)
    kept.fill(store)
    config = kept.CONFIG.replace("sqlite:///panelbridge.db", f"sqlite:///{store}")
    (desk.folder / "config.yaml").write_text(config)
    yield


@contextmanager
def backed_up(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with stored(desk, postgres):
        yield
        assert deliveries(f"sqlite:///{machine(desk, BACKUP)}") > kept.LAST


@contextmanager
def restored(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with stored(desk, postgres):
        desk.typed(block("panelbridge backup /backup"))
        with closing(sqlite3.connect(machine(desk, STORE))) as connection:
            connection.execute("DELETE FROM deliveries")
            connection.commit()
        yield
        assert deliveries(f"sqlite:///{machine(desk, STORE)}") > kept.LAST


@contextmanager
def database(desk: Desk, postgres: Postgres) -> Iterator[None]:
    """A server with an empty database that is called as in the documents, and its programs."""
    admin = postgres.url.replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE panelbridge LOGIN CREATEDB")
        connection.execute("CREATE DATABASE panelbridge OWNER panelbridge")
    desk.environment |= {"PATH": f"{postgres.programs}:{desk.environment['PATH']}", "PGPORT": str(postgres.port)}
    desk.moved["db.example.com"] = "127.0.0.1"
    (Path(desk.moved["/run/secrets"]) / "database").write_text("a-long-random-text\n")
    try:
        yield
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS panelbridge WITH (FORCE)")
            connection.execute("DROP ROLE panelbridge")


def database_url(postgres: Postgres) -> str:
    return f"postgresql+psycopg://panelbridge@127.0.0.1:{postgres.port}/panelbridge"


@contextmanager
def copied_to_a_database(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with stored(desk, postgres), database(desk, postgres):
        yield
        assert deliveries(database_url(postgres)) > kept.LAST


@contextmanager
def dumped(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with copied_to_a_database(desk, postgres):
        desk.typed(block("panelbridge store copy"))
        yield
        assert (Path(desk.moved["/backup"]) / "panelbridge.dump").stat().st_size > 0


@contextmanager
def restored_from_a_dump(desk: Desk, postgres: Postgres) -> Iterator[None]:
    with dumped(desk, postgres):
        desk.typed(block("pg_dump"))
        with psycopg.connect(database_url(postgres).replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DELETE FROM deliveries")
        yield


@contextmanager
def set_up(desk: Desk, _: Postgres) -> Iterator[None]:
    """An empty folder, in which there are a file and its secrets afterwards."""
    yield
    assert {"config.yaml", ".env"} <= {one.name for one in desk.folder.iterdir()}


@contextmanager
def nothing(desk: Desk, _: Postgres) -> Iterator[None]:
    yield


def volume(desk: Desk) -> Path:
    return Path(desk.environment["DOCKER_STATE"]) / "volumes" / "panelbridge"


#: The way that begins so → its world.
WAYS: dict[str, World] = {
    "make run": project,
    "PATH=$PWD/.venv/bin": project,
    "curl http://127.0.0.1:8080/in/marzban": running,
    "curl http://127.0.0.1:8080/in/backups": running_with_any_json,
    "curl -f http://127.0.0.1:8081/api/v1": administered,
    "curl -f http://127.0.0.1:8081/graphql": administered,
    "mkdir -p panelbridge": empty_compose,
    "cat >> .env": compose,
    "docker build": compose,
    "panelbridge store copy": copied_to_a_database,
    "make image": project,
    "systemctl daemon-reload": nothing,
    "panelbridge init": set_up,
    "make install": project,
    "panelbridge backup /backup": backed_up,
    "docker compose exec panelbridge panelbridge backup": compose_backup,
    "panelbridge restore /backup": restored,
    "docker compose stop": compose_restore,
    "pg_dump": dumped,
    "dropdb": restored_from_a_dump,
    "git pull\ndocker compose": compose_pulled,
    "git pull\nmake install": pulled,
    "make chaos": nothing,
}
