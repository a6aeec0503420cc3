"""A 3x-ui that lives: clients that use traffic, run out of it and of time, nodes and an Xray that come and go.

It keeps a list of its own of what has happened, made where it happens and not by comparing anything. Nothing happens
to one client twice within `APART`, so that whoever asks more often can tell all of it.

Source   github.com/MHSanaei/3x-ui @ 02002dc: internal/web/controller/{client,node,server}.go for the addresses and who
         may read them, internal/database/model/model.go and internal/xray/client_traffic.go for the keys
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bridge.codec import dump
from bridge.sinks.http import Request, Response, Unanswered

ADDRESS = "https://panel.example.com:2053/a-secret-path"
TOKEN = "3xui-test-token-0123456789abcdef"
GIB = 2**30
APART = timedelta(hours=6)
NEAR = timedelta(days=3)  # before its end a client is told of
PATHS = ("panel/api/server/status", "panel/api/clients/list", "panel/api/nodes/list")

#: What its secrets begin with, and where it is: none of it is kept.
SECRETS_OF_IT = (
    *(f"{name}-secret-" for name in ("sub", "uuid", "password", "auth", "private", "psk", "mtproto", "node")),
    "a-secret-path",
    TOKEN,
)

#: What happened: the panel's name for it, and to whom.
Happened = tuple[str, str]


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def a_client(number: int, **changes: Any) -> dict[str, Any]:
    """A client as `clients/list` has it, its secrets among it."""
    traffic = {"up": changes.pop("up", 0), "down": changes.pop("down", 0), "lastOnline": changes.pop("lastOnline", 0)}
    email = changes.get("email", f"client-{number}")
    return {
        "id": number,
        "email": email,
        "subId": f"sub-secret-{number}",
        "uuid": f"uuid-secret-{number}",
        "password": f"password-secret-{number}",
        "auth": f"auth-secret-{number}",
        "flow": "",
        "security": "auto",
        "reverse": None,
        "privateKey": f"private-secret-{number}",
        "publicKey": "",
        "allowedIPs": "",
        "preSharedKey": f"psk-secret-{number}",
        "keepAlive": 0,
        "secret": f"mtproto-secret-{number}",
        "adTag": "",
        "limitIp": 2,
        "limitHwid": 0,
        "totalGB": 0,
        "expiryTime": 0,
        "enable": True,
        "tgId": 0,
        "group": "",
        "comment": "",
        "reset": 0,
        "resetDay": 0,
        "resetMax": 0,
        "trafficReset": "never",
        "trafficResetDay": 1,
        "createdAt": 1790000000000,
        "updatedAt": 1790000000000,
        "inboundIds": [1],
        "traffic": {"id": number, "inboundId": 1, "enable": True, "email": email, "uuid": f"uuid-secret-{number}",
                    "subId": f"sub-secret-{number}", "expiryTime": 0, "total": 0, "reset": 0, **traffic},
        **changes,
    }  # fmt: skip


def a_node(number: int, **changes: Any) -> dict[str, Any]:
    """A node as `nodes/list` of an older panel has it, with its token."""
    return {
        "id": number,
        "name": f"node-{number}",
        "remark": "",
        "scheme": "https",
        "address": f"node-{number}.example.net",
        "port": 2053,
        "basePath": "/",
        "apiToken": f"node-secret-{number}",
        "enable": True,
        "guid": f"guid-{number}",
        "status": "online",
        "lastHeartbeat": 1790000000,
        "latencyMs": 42,
        "xrayVersion": "25.10.31",
        "panelVersion": "v3.0.0",
        "cpuPct": 23.5,
        "memPct": 45.1,
        "uptimeSecs": 86400,
        "lastError": "",
        "xrayState": "running",
        "xrayError": "",
        "onlineCount": 3,
        **changes,
    }


@dataclass
class Panel3xUi:
    """What it has, what it answers, and whether it does."""

    clients: dict[int, dict[str, Any]] = field(default_factory=dict)
    nodes: dict[int, dict[str, Any]] | None = field(default_factory=dict)
    xray: dict[str, Any] = field(default_factory=lambda: {"state": "running", "errorMsg": "", "version": "25.10.31"})
    refuses: int | None = None  # it answers everything with that
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        """What a GET gets; raise Unanswered where it is silent."""
        path = str(request.url).removeprefix(f"{ADDRESS}/")
        self.asked.append(path)
        if self.silent:
            raise Unanswered("no answer: connection refused")
        if self.refuses is not None:
            return Response(self.refuses)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" or request.method != "GET":
            return Response(404)
        if path == "panel/api/server/status":
            return self._object({"cpu": 12.5, "xray": self.xray, "panelVersion": "v3.0.0", "uptime": 86400})
        if path == "panel/api/clients/list":
            return self._object(list(self.clients.values()))
        if path == "panel/api/nodes/list" and self.nodes is not None:
            return self._object(list(self.nodes.values()))
        return Response(404)

    def _object(self, value: Any) -> Response:
        return Response(200, {"content-type": "application/json"}, dump({"success": True, "msg": "", "obj": value}))


class FakeHttp:
    """The one socket, with a panel behind it."""

    def __init__(self, panel: Panel3xUi) -> None:
        self.panel = panel
        self.under_way = 0
        self.most_at_once = 0

    async def send(self, request: Request, **_: Any) -> Response:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            return self.panel.answer(request)
        finally:
            self.under_way -= 1


class Life:
    """A panel with so many clients, and what happens to them as time passes."""

    def __init__(self, clients: int, chance: Random, now: datetime, *, nodes: int = 3) -> None:
        self.panel = Panel3xUi(nodes={number: a_node(number) for number in range(1, nodes + 1)})
        self.happened: list[Happened] = []
        self._chance = chance
        self._numbers = iter(range(1, 10**9))
        self._quiet_until: dict[int, datetime] = {}  # of each client
        self._quiet_around = now  # of nodes and Xray
        for _ in range(clients):
            self._add(now)

    def pass_time(self, now: datetime) -> None:
        """Let happen what happens until then: to one client in fifty, and now and then to a node.

        First what happens by itself: whoever was prolonged in the very hour of the end would never have been seen over.
        """
        self.stand_still(now)
        for number in self._due(now):
            change = self._chance.choice(self._changes(number, now))
            self._quiet_until[number] = now + APART
            change()
        if now >= self._quiet_around and self._chance.random() < 0.1:
            self._quiet_around = now + APART
            self._chance.choice([self._change_nodes, self._change_nodes, self._turn_xray])()

    def _due(self, now: datetime) -> list[int]:
        free = [number for number in self.panel.clients if self._is_free(number, now)]
        return self._chance.sample(free, len(free) // 50 + (self._chance.random() < 0.5 and bool(free)))

    def _is_free(self, number: int, now: datetime) -> bool:
        """Whether nothing has happened to a client of late, and nothing is about to happen by itself."""
        left = timedelta(milliseconds=self.panel.clients[number]["expiryTime"] - milliseconds(now))
        by_itself = (left, left - NEAR)
        return self._quiet_until[number] <= now and not any(timedelta(0) < one <= APART for one in by_itself)

    def _changes(self, number: int, now: datetime) -> list[Callable[[], None]]:
        """What may happen to a client as it is."""
        client = self.panel.clients[number]
        used, limit, expiry = _used(client), client["totalGB"], client["expiryTime"]
        over = 0 < expiry <= milliseconds(now)
        if over:
            return [lambda: self._prolong(number, now)]
        if expiry < 0:
            return [lambda: self._begin(number, now)]
        if used >= limit:
            return [lambda: self._raise_limit(number)]
        if not client["enable"]:
            return [lambda: self._enable(number)]
        changes = [lambda: self._use_up(number), lambda: self._disable(number), lambda: self._rename(number)]
        if used == 0:
            changes = [lambda: self._connect(number)]
        elif used * 100 < limit * 80:
            changes += [lambda: self._use_most(number)] * 3
        return [*changes, lambda: self._delete(number), lambda: self._add(now)]

    def stand_still(self, now: datetime) -> None:
        """Let happen what happens by itself: an end comes near, or is reached."""
        for number, client in self.panel.clients.items():
            expiry = client["expiryTime"]
            if expiry <= 0:
                continue
            left = timedelta(milliseconds=expiry - milliseconds(now))
            if left <= timedelta(0) and not client.get("over"):
                client["over"] = True
                self._quiet_until[number] = now + APART
                self._tell("client.expired", client)
            elif timedelta(0) < left <= NEAR and not client.get("near"):
                client["near"] = True
                self._quiet_until[number] = now + APART
                if client["enable"]:
                    self._tell("client.expiring", client)

    def _add(self, now: datetime) -> None:
        number = next(self._numbers)
        expiry = self._chance.choice(
            [0, -30 * 86_400_000, milliseconds(now + timedelta(days=self._chance.uniform(4, 40)))]
        )
        client = self.panel.clients[number] = a_client(number, totalGB=10 * GIB, expiryTime=expiry)
        self._quiet_until[number] = now + APART
        self._tell("client.created", client)

    def _connect(self, number: int) -> None:
        self.panel.clients[number]["traffic"].update(up=1000, down=2000, lastOnline=1790000000000)
        self._tell("client.first_connected", self.panel.clients[number])

    def _begin(self, number: int, now: datetime) -> None:
        self.panel.clients[number]["expiryTime"] = milliseconds(now) - self.panel.clients[number]["expiryTime"]
        self._connect(number)

    def _use_most(self, number: int) -> None:
        client = self.panel.clients[number]
        client["traffic"]["down"] = int(client["totalGB"] * 0.85)
        self._tell("client.usage_threshold", client)

    def _use_up(self, number: int) -> None:
        client = self.panel.clients[number]
        client["traffic"]["down"] = client["totalGB"] + 5
        client["traffic"]["enable"] = False
        self._tell("client.limited", client)

    def _raise_limit(self, number: int) -> None:
        client = self.panel.clients[number]
        client["totalGB"] = 2 * client["traffic"]["down"]
        self._tell("client.updated", client)
        self._tell("client.enabled" if client["enable"] else "client.disabled", client)

    def _disable(self, number: int) -> None:
        self.panel.clients[number]["enable"] = False
        self._tell("client.disabled", self.panel.clients[number])

    def _enable(self, number: int) -> None:
        client = self.panel.clients[number]
        client["enable"] = True
        self._tell("client.enabled", client)

    def _rename(self, number: int) -> None:
        client = self.panel.clients[number]
        client["email"] = f"{client['email']}x"
        self._tell("client.updated", client)

    def _prolong(self, number: int, now: datetime) -> None:
        """By hand; or by itself, as the panel does where `reset` is set."""
        client = self.panel.clients[number]
        client.update(expiryTime=milliseconds(now + timedelta(days=30)), over=False, near=False)
        if self._chance.random() < 0.5:
            client["reset"] = 30
            self._tell("client.renewed", client)
        else:
            client["reset"] = 0
            self._tell("client.updated", client)
            if _used(client) < client["totalGB"] and client["enable"]:
                self._tell("client.enabled", client)
        if _used(client) >= client["totalGB"]:
            self._tell("client.limited", client)
        elif not client["enable"]:
            self._tell("client.disabled", client)

    def _delete(self, number: int) -> None:
        self._tell("client.deleted", self.panel.clients.pop(number))

    def _change_nodes(self) -> None:
        node = self._chance.choice(list((self.panel.nodes or {}).values()))
        node["status"] = "offline" if node["status"] == "online" else "online"
        node["lastError"] = "i/o timeout" if node["status"] == "offline" else ""
        self.happened.append(("node.down" if node["status"] == "offline" else "node.up", node["name"]))

    def _turn_xray(self) -> None:
        runs = self.panel.xray["state"] == "running"
        self.panel.xray = {
            "state": "error" if runs else "running",
            "errorMsg": "exit 1" if runs else "",
            "version": "1",
        }
        self.happened.append(("xray.down" if runs else "xray.up", "Xray"))

    def _tell(self, native: str, client: dict[str, Any]) -> None:
        self.happened.append((native, client["email"]))


def _used(client: dict[str, Any]) -> int:
    return int(client["traffic"]["up"] + client["traffic"]["down"])


def told_of(events: Iterator[tuple[str, str | None]]) -> list[Happened]:
    """Native names and whom they are about, of what a bridge keeps."""
    return [(native, (subject or "").partition(":")[2]) for native, subject in events]
