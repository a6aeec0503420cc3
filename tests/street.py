"""A street of strict services, a bridge that speaks to all of them, and panels that post to it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.processes import Bridge, a_bridge
from tests.services import discord, gohighlevel, slack, telegram, zapier
from tests.services.receiver import Receiver
from tests.services.service import Service, serving

MARZBAN = "something-very-very-secret"
REMNAWAVE = "RemnawaveTestSecret0123456789abcdefXYZ"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKENS = ("main-channel-token-AAAA", "reseller-token-BBBB", "pasar-main-token-CCCC", "pasar-admin-token-DDDD")
SOURCES = f"""
sources:
  marzban: {{panel: marzban, secret: {MARZBAN}}}
  pasarguard: {{panel: pasarguard, secret: {MARZBAN}}}
  marzneshin: {{panel: marzneshin, secret: {MARZBAN}}}
  remnawave: {{panel: remnawave, secret: {REMNAWAVE}}}
  wg-portal: {{panel: wgportal, secret: Basic dXNlcm5hbWU6cGFzc3dvcmQ=}}
  orbvpn: {{panel: orbvpn, secret: none}}
  reports: {{panel: discord, secret: [{", ".join(TOKENS)}]}}
"""


@dataclass
class Street:
    """Every service there is, each with its address."""

    services: dict[str, Service] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.services[name]

    def sinks(self) -> str:
        """The sinks of a file that speaks to each of them, as fast as they take it."""
        base, fast = self.urls, "rate: unlimited, retry: {waits: [0.2s], jitter: 0}"
        return f"""
sinks:
  discord: {{type: discord, url: '{base["discord"]}/api/webhooks/{discord.ID}/{discord.TOKEN}', {fast}}}
  slack: {{type: slack, url: '{base["slack"]}{slack.HOOK}', {fast}}}
  slack-bot: {{type: slack, token: {slack.TOKEN}, channel: '#notifications', api_base: '{base["slack"]}/api', {fast}}}
  telegram: {{type: telegram, token: '{telegram.TOKEN}', chat_id: -1001, api_base: '{base["telegram"]}', {fast}}}
  trigger: {{type: gohighlevel, url: '{base["crm"]}{gohighlevel.TRIGGER}', {fast}}}
  crm:
    {{type: gohighlevel, api_key: {gohighlevel.TOKEN}, location_id: {gohighlevel.LOCATION},
      api_base: '{base["crm"]}', {fast}}}
  zapier: {{type: zapier, url: '{base["zapier"]}{zapier.HOOK}', {fast}}}
  shop: {{type: webhook, url: '{base["shop"]}/hook', secret: {SIGNING}, {fast}}}
"""


@asynccontextmanager
async def a_street() -> AsyncIterator[Street]:
    street = Street(
        {
            "discord": discord.Discord(),
            "slack": slack.Slack(),
            "telegram": telegram.Telegram(),
            "crm": gohighlevel.GoHighLevel(),
            "zapier": zapier.Zapier(),
            "shop": Receiver(secret=SIGNING),
        }
    )
    async with AsyncExitStack() as stack:
        for name, service in street.services.items():
            street.urls[name] = await stack.enter_async_context(serving(service))
        yield street


class Panels:
    """What panels do: post, and hope for the best."""

    def __init__(self, bridge: Bridge, http: aiohttp.ClientSession) -> None:
        self.bridge, self.http = bridge, http

    async def send(self, path: str, body: Any, headers: dict[str, str] | None = None) -> int:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post(self.bridge.url + path, data=data, headers=headers or {}) as response:
            return response.status

    async def users(self, *names: str, action: str = "user_created") -> None:
        body = [{"action": action, "username": name, "tries": 0} for name in names]
        assert await self.send("/in/marzban", body, {"x-webhook-secret": MARZBAN}) == 200

    async def command(self, *words: str) -> Any:
        """What a command beside the running bridge prints as JSON."""
        config = str(self.bridge.log.with_suffix(".yaml"))
        line = [sys.executable, "-m", "bridge", *words, "--json", "--config", config]
        done = await asyncio.to_thread(subprocess.run, line, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def settled(self, count: int) -> list[dict[str, Any]]:
        """All deliveries, once `count` of them are delivered or dead; the oldest first."""
        async with asyncio.timeout(30):
            while True:
                found = await self.command("deliveries", "--limit", "100000")
                if sum(one["state"] in ("delivered", "dead") for one in found) >= count:
                    return sorted(found, key=lambda one: int(one["id"]))
                await asyncio.sleep(0.1)


@asynccontextmanager
async def a_house(folder: Path, sinks: str, to: str) -> AsyncIterator[Panels]:
    """A running bridge that sends everything to these sinks."""
    text = f"{SOURCES}{sinks}\nroutes:\n  - {{match: '*', to: {to}}}\n"
    async with a_bridge(folder, text) as bridge, aiohttp.ClientSession() as http:
        await bridge.start()
        yield Panels(bridge, http)
