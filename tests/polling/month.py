"""A simulated month of a 3x-ui and of a bridge that asks it and is killed again and again.

python -m tests.polling.month [CLIENTS] [KILLS] [HOURS]       10,000 clients, 50 kills and 720 hours if not given

It says how far it is, and ends: an hour whose turn takes longer than LONGEST_TURN is a fault that is named.
"""

import select
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Condition, Thread
from typing import Any

import sqlalchemy as sa
from yarl import URL

from bridge.sinks.http import Request
from bridge.store.backend import open_engine
from bridge.store.schema import events
from tests.fakes import START
from tests.polling.a_poller import INTERVAL
from tests.polling.threexui import ADDRESS, PATHS, Happened, Life, told_of

HOURS = 30 * 24
LONGEST_TURN = 600.0  # seconds of this machine
LAST = "/last"  # asked for by nobody but who waits for all others
#: Told of each hour that is over: its number, how many there are, and how often the process was killed.
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Month:
    """What has happened, what was told of it, how often the process was killed and how many requests came an hour."""

    happened: Counter[Happened]
    told: Counter[Happened]
    kills: int
    most_in_an_hour: Counter[str]
    most_at_once: int


class Door:
    """Answers what the panel would, over HTTP; and kills whoever asks at the request that was drawn for it."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.in_this_hour: Counter[str] = Counter()
        self.most_in_an_hour: Counter[str] = Counter()
        self.under_way = self.most_at_once = 0
        self._inside = 0
        self._moved = Condition()

    def enter(self) -> None:
        with self._moved:
            self._inside += 1

    def leave(self) -> None:
        with self._moved:
            self._inside -= 1
            self._moved.notify_all()

    def wait_until_empty(self, port: int) -> None:
        """Until all are through who stand before it now, the dead among them: what comes later is the next hour's."""
        with socket.create_connection(("127.0.0.1", port)) as last:  # they are let in one after the other
            last.sendall(f"GET {LAST} HTTP/1.0\r\n\r\n".encode())
            while last.recv(4096):
                pass
        with self._moved:
            self._moved.wait_for(lambda: self._inside == 0)

    def begin_hour(self) -> None:
        self.most_in_an_hour |= self.in_this_hour
        self.in_this_hour.clear()

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self.in_this_hour[path] += 1
        response = self.life.panel.answer(Request("GET", URL(f"{ADDRESS}/{path}"), headers=headers))
        self.under_way -= 1
        return response.status, response.body


@contextmanager
def listening(door: Door) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = (
                (404, b"") if self.path == LAST else door.answer(self.path.removeprefix("/"), dict(self.headers))
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        def process_request(self, request: Any, client_address: Any) -> None:
            door.enter()
            super().process_request(request, client_address)

        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            door.leave()

        def handle_error(self, *_: Any) -> None: ...  # whoever asked is dead

    server = Server(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class Bridge:
    """The process that asks; begun anew where it was killed."""

    def __init__(self, store: str, port: int) -> None:
        self._command = [sys.executable, "-m", "tests.polling.a_poller", store, str(port)]
        self._process: subprocess.Popen[str] | None = None
        self._lasted = 0.0  # seconds that the last turn took

    def ask(self, now: str, *, kill_after: float | None) -> None:
        """Have it take its turn; `kill_after`: turns, as long as the last one was, after which it is killed."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{now}\n")
        process.stdin.flush()
        if kill_after is not None:
            time.sleep(kill_after * self._lasted)
            self.kill()
            return
        began = time.monotonic()
        if not select.select([process.stdout], [], [], LONGEST_TURN)[0]:
            self.kill()
            raise RuntimeError(f"the turn of {now} has not ended within {LONGEST_TURN:g} s")
        if process.stdout.readline() != "asked\n":
            raise RuntimeError("the poller has ended by itself")
        self._lasted = time.monotonic() - began

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
            )
        return self._process


def live(clients: int, *, kills: int, hours: int = HOURS, seed: int = 1, progress: Progress = lambda *_: None) -> Month:
    """Let a month pass; afterwards all that has happened could have been told."""
    chance = Random(seed)
    life = Life(clients, chance, START)
    life.happened.clear()  # whoever is there at the first look is not told of
    door = Door(life)
    fatal = set(chance.sample(range(1, hours), kills))
    with tempfile.TemporaryDirectory() as folder, listening(door) as port:
        store = f"sqlite:///{folder}/panelbridge.db"
        bridge = Bridge(store, port)
        for hour in range(hours + 2):
            now = START + timedelta(seconds=hour * INTERVAL)
            if hour:
                (life.pass_time if hour < hours else life.stand_still)(now)
            door.begin_hour()
            bridge.ask(now.isoformat(), kill_after=chance.uniform(0, 1.2) if hour in fatal else None)
            door.wait_until_empty(port)
            progress(hour, hours + 1, sum(one <= hour for one in fatal))
        door.begin_hour()
        bridge.kill()
        told = Counter(told_of(_kept(store)))
    return Month(Counter(life.happened), told, len(fatal), door.most_in_an_hour, door.most_at_once)


def _kept(store: str) -> Iterator[tuple[str, str | None]]:
    engine = open_engine(store)
    with engine.connect() as connection:
        yield from ((row.native_type, row.subject) for row in connection.execute(sa.select(events)))
    engine.dispose()


def report(began: float) -> Progress:
    """A line for every day of the month: how far it is, and how long the rest may take."""

    def say(hour: int, hours: int, kills: int) -> None:
        if hour % 24 and hour != hours:
            return
        passed = time.monotonic() - began
        left = passed / max(hour, 1) * (hours - hour)
        print(f"hour {hour} of {hours}, {kills} kills, {passed:.0f} s, about {left:.0f} s to go", flush=True)

    return say


def main() -> None:
    given = sys.argv[1:]
    clients, kills, hours = (int(one) for one in (*given, *("10000", "50", str(HOURS))[len(given) :]))
    month = live(clients, kills=kills, hours=hours, progress=report(time.monotonic()))
    missed, invented = month.happened - month.told, month.told - month.happened
    print(f"{clients} clients, {hours} hours, {month.kills} kills: {month.happened.total()} things happened,")
    print(f"missed {missed.total()}, told twice or invented {invented.total()}")
    print(f"requests in an hour: {dict(month.most_in_an_hour)}, at once {month.most_at_once}")
    for one, count in [*missed.most_common(5), *invented.most_common(5)]:
        print("   ", one, count)
    sys.exit(bool(missed or invented or month.most_at_once > 1 or set(month.most_in_an_hour) != set(PATHS)))


if __name__ == "__main__":
    main()
