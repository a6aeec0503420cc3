"""The admin side behind nginx and Caddy, as docs/operations.md has them: pages, and streams as they are told."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.admin.running import ACT, TOKENS, Desk, running_admin
from tests.admin.test_streams import happens, hearing
from tests.fakes import FakeClock
from tests.pages import blocks, spans
from tests.processes import PATIENCE, free_port
from tests.system.test_proxies import HOST, client, listens, make_certificate, replaced
from tests.tools import needed

pytestmark = pytest.mark.process
DOCUMENTED = "127.0.0.1:8081"
[LOCATION] = [one.text for one in blocks("nginx") if one.text.startswith("location")]
[HANDLE] = [one.text for one in spans() if one.text.startswith("handle /admin")]


def nginx(folder: Path, port: int, admin: str) -> list[str]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}server {{\nlisten 127.0.0.1:{port} ssl;\nserver_name {HOST};\n"
        f"ssl_certificate {folder}/cert.pem;\nssl_certificate_key {folder}/key.pem;\n"
        f"{replaced(LOCATION, {DOCUMENTED: admin})}}}\n}}\n"
    )
    return [needed("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, admin: str) -> list[str]:
    own = f"admin off\nauto_https disable_redirects\nstorage file_system {folder}/caddy\ndefault_bind 127.0.0.1"
    handle = replaced(HANDLE, {DOCUMENTED: admin, "{ ": "{\n", " }": "\n}"})
    site = f"{HOST}:{port} {{\ntls {folder}/cert.pem {folder}/key.pem\n{handle}\n}}\n"
    (folder / "Caddyfile").write_text(f"{{\n{own}\n}}\n{site}")
    return [needed("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@asynccontextmanager
async def behind(
    command: Callable[[Path, int, str], list[str]], folder: Path, store: str, clock: FakeClock
) -> AsyncIterator[tuple[Desk, str]]:
    """An admin side, and where it is reached through a proxy."""
    make_certificate(folder)
    port = free_port()
    admin = f"{TOKENS}, url: 'https://{HOST}:{port}/admin', proxies: [127.0.0.1]"
    async with running_admin(folder, store, clock, admin=admin) as desk:
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        process = subprocess.Popen(
            command(folder, port, desk.authority),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                while not await listens(port):
                    assert process.poll() is None
                    await asyncio.sleep(0.05)
            yield desk, f"https://{HOST}:{port}/admin"
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.mark.parametrize("command", [nginx, caddy])
async def test_a_page_lives_behind_a_proxy(
    command: Callable[[Path, int, str], list[str]], tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    async with behind(command, tmp_path, store_url, clock) as (desk, url), client(tmp_path) as http:
        token = {"Authorization": f"Bearer {ACT}"}
        async with http.get(f"{url}/events", headers=token) as response:
            assert 'data-live="/admin/live/events"' in await response.text()
        async with hearing(http, f"{url}/live/events", **token) as listener:
            assert "user:alice" in (await listener.next()).data
            await happens(desk, "carol")  # and is told though nothing follows that would push it through
            assert "user:carol" in (await listener.next()).data
