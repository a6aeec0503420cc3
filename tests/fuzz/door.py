"""A bridge that is fuzzed: what it answers, what it logs, and how much memory it holds."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.fuzz.grammar import ADDRESSES, FILE, request
from tests.processes import PATIENCE, Bridge, a_bridge

ANSWER_WITHIN = 0.2  # seconds; what is no whole request gets none, and waits no longer for it
GROWTH = 96  # MB of memory above what the first requests needed
BUGS = ("Traceback", "ingress.bug", "delivery.bug", "never retrieved")
WHOLE = request(ADDRESSES[2], b'{"scope": "user", "event": "user.created", "data": {"username": "alice"}}')


@dataclass
class Door:
    """The door of a running bridge."""

    bridge: Bridge
    sent: int = 0

    def post(self, request: bytes, *, within: float = ANSWER_WITHIN) -> int | None:
        """The answer's status; None where there is none."""
        self.sent += 1
        address = urlsplit(self.bridge.url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
            try:
                connection.sendall(request)
                connection.settimeout(within)
                answer = connection.recv(4096)
            except (TimeoutError, ConnectionError):
                return None
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
        return int(found[1]) if found else None

    def faults(self) -> list[str]:
        """What is wrong with the bridge by now."""
        log = self.bridge.log.read_text("utf-8", "replace")
        faults = [f"the log says: {bug}" for bug in BUGS if bug in log]
        if not self.bridge.running:
            return [*faults, "it has ended"]
        if (status := self.post(WHOLE, within=PATIENCE)) != 200:
            faults.append(f"a panel's ordinary request is answered {status}")
        return faults

    @property
    def memory(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.bridge.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000


@asynccontextmanager
async def a_door(folder: Path) -> AsyncIterator[Door]:
    async with a_bridge(folder, FILE) as bridge:
        await bridge.start()
        yield Door(bridge)
