"""The reverse proxies of docs/operations.md: what panels send comes through them whole."""

import asyncio
import hashlib
import hmac
import io
import json
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.pages import blocks
from tests.processes import PATIENCE, a_bridge, free_port
from tests.tools import needed

pytestmark = pytest.mark.process
HOST = "bridge.example.com"
SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
WEBHOOK = f"/api/webhooks/reports/{SECRET}"
FILE = f"""
sources:
  marzban: {{panel: marzban, secret: {SECRET}}}
  remnawave: {{panel: remnawave, secret: {SECRET}}}
  wgportal: {{panel: wgportal, secret: Bearer {SECRET}}}
  reports: {{panel: discord, secret: {SECRET}}}
sinks: {{here: {{type: console}}}}
routes: [{{match: "*", to: here}}]
"""
NGINX = next(one.text for one in blocks("nginx") if one.text.startswith("server"))
[CADDY] = [one.text for one in blocks("caddyfile")]
CERTIFICATE, KEY = (f"/etc/letsencrypt/live/{HOST}/{name}.pem" for name in ("fullchain", "privkey"))

Prepared = tuple[list[str], list[str]]


def nginx(folder: Path, port: int, bridge: str) -> Prepared:
    """The command that checks its configuration, and the one that runs it."""
    moved = {CERTIFICATE: f"{folder}/cert.pem", KEY: f"{folder}/key.pem", "127.0.0.1:8080": bridge}
    server = replaced(NGINX, moved | {"listen 443 ssl": f"listen 127.0.0.1:{port} ssl"})
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy"))
    unused = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log {folder}/access.log;\n{temporary}\n{unused}\n{server}}}\n"
    )
    command = [needed("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return [*command, "-t"], command


def caddy(folder: Path, port: int, bridge: str) -> Prepared:
    here = f"{HOST}:{port} {{\n    tls {folder}/cert.pem {folder}/key.pem"
    site = replaced(CADDY, {"127.0.0.1:8080": bridge, f"{HOST} {{": here})
    own = ("admin off", "auto_https disable_redirects", f"storage file_system {folder}/caddy")
    settings = "\n".join((*own, "default_bind 127.0.0.1"))
    (folder / "Caddyfile").write_text(f"{{\n{settings}\n}}\n{site}")
    about = ["--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    program = needed("caddy")
    return [program, "validate", *about], [program, "run", *about]


def replaced(text: str, moved: dict[str, str]) -> str:
    for documented, here in moved.items():
        assert documented in text, f"{documented} is not documented any more"
        text = text.replace(documented, here)
    return text


def make_certificate(folder: Path) -> None:
    """One that is its own authority, for a day."""
    key, nobody, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    about = nobody, nobody, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    certificate = x509.CertificateBuilder(*about).add_extension(host, critical=True).sign(key, hashes.SHA256())
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@asynccontextmanager
async def a_proxy(prepare: Callable[[Path, int, str], Prepared], folder: Path) -> AsyncIterator[str]:
    """Where a proxy is reached that stands before a bridge."""
    make_certificate(folder)
    port = free_port()
    async with a_bridge(folder, FILE) as bridge:
        check, run = prepare(folder, port, bridge.url.removeprefix("http://"))
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        checked = subprocess.run(check, capture_output=True, text=True, env=environment, timeout=PATIENCE)
        assert checked.returncode == 0, checked.stderr
        await bridge.start()
        process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        try:
            async with asyncio.timeout(PATIENCE):
                while not await listens(port):
                    assert process.poll() is None
                    await asyncio.sleep(0.05)
            yield f"https://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class ToLoopback(aiohttp.abc.AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> Any:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


def client(folder: Path) -> aiohttp.ClientSession:
    trusts = ssl.create_default_context(cafile=folder / "cert.pem")
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusts, resolver=ToLoopback()))


def panels() -> list[tuple[str, bytes, dict[str, str]]]:
    """What panels post: a path, a body and its headers. The first is longer than a proxy takes that is not told."""
    big = {"action": "user_created", "username": "alice", "user": {"note": "x" * (4 << 20)}}
    told = {"scope": "user", "event": "user.created", "timestamp": "2026-11-21T04:14:18Z", "data": {}}
    peer = {"event": "create", "entity": "user", "identifier": "alice", "payload": {}}
    signed = json.dumps(told).encode()
    signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return [
        ("/in/marzban", json.dumps(big).encode(), {"x-webhook-secret": SECRET}),
        ("/in/remnawave", signed, {"X-Remnawave-Signature": signature}),
        ("/in/wgportal", json.dumps(peer).encode(), {"Authorization": f"Bearer {SECRET}"}),
        (WEBHOOK, b'{"content": "hello"}', {"Content-Type": "application/json"}),
    ]


@pytest.mark.parametrize("prepare", [nginx, caddy])
async def test_what_panels_send_comes_through_whole_and_nothing_else_does(
    prepare: Callable[[Path, int, str], Prepared], tmp_path: Path
) -> None:
    async with a_proxy(prepare, tmp_path) as base, client(tmp_path) as http:
        for path, body, headers in panels():
            async with http.post(base + path, data=io.BytesIO(body), headers=headers) as response:
                assert response.status in (200, 204), (path, await response.text())
        async with http.get(base + WEBHOOK) as response:
            assert (await response.json())["url"] == base + WEBHOOK
        for path in ("/healthz", "/readyz", "/"):
            async with http.get(base + path) as response:
                assert "panelbridge" not in await response.text()
    ours = {tmp_path / "config.yaml"}
    assert [file for file in tmp_path.glob("*") if file.is_file() and file not in ours and holds_secret(file)] == []


def holds_secret(file: Path) -> bool:
    return SECRET.encode() in file.read_bytes()
