"""What `run` prints once the port is open."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.model import Config


def startup_lines(config: "Config", address: str) -> Iterator[str]:
    """What is printed once the port is open: where it is, and what to paste."""
    from bridge.config.endpoints import endpoints

    yield f"listening on http://{address}\n"
    for endpoint in endpoints(config, address):
        yield f"{endpoint.name} ({endpoint.panel}): paste into the panel's settings"
        yield from (f"    {line}" for line in endpoint.paste)
        yield ""
