"""`run --demo`: a recorded event goes in over HTTP, as Marzban sends it, and the curl to send more of them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession

from bridge.cli.console import printable
from bridge.config.endpoints import local_url, secret_placeholder

if TYPE_CHECKING:
    from bridge.config.model import Config

RECORDED = json.loads(Path(__file__).with_name("demo.json").read_bytes())
HEADER = RECORDED["header"]


async def send_demo_event(config: "Config", address: str) -> None:
    """Post the recorded event to the first Marzban source of the file."""
    source = next(((name, one) for name, one in config.sources.items() if one.panel == "marzban"), None)
    if source is None:
        return print("the demo needs a source whose panel is marzban")
    name, settings = source
    url = f"{local_url(address)}/in/{name}"
    secret = secret_placeholder(name, settings)
    body = '{"action": "user_expired", "username": "alice"}'
    print(f"try it:\n    curl {url} -H '{HEADER}: {secret}' -d '{body}'\n")
    headers = {"Content-Type": "application/json"}
    if settings.secret:
        headers[HEADER] = settings.secret[0].get_secret_value()
    async with (
        ClientSession() as session,
        session.post(url, data=json.dumps(RECORDED["body"]), headers=headers) as response,
    ):
        answer = printable((await response.text()).strip())
        print(f"a recorded event of Marzban went to {url}: {response.status} {answer}\n", flush=True)
    return None
