"""What `run` prints once the port is open."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.model import Config


def startup_lines(config: "Config", address: str, admin: str | None) -> Iterator[str]:
    """What is printed once the ports are open: where they are, and what to paste."""
    from bridge.config.endpoints import endpoints, local_url

    yield f"listening on http://{address}"
    if admin is not None:
        yield f"look at it on {config.admin_side().url or local_url(admin)}"
    yield ""
    for endpoint in endpoints(config, address):
        what = "paste into the panel's settings" if endpoint.paste else endpoint.url
        yield f"{endpoint.name} ({endpoint.panel}): {what}"
        yield from (f"    {line}" for line in endpoint.paste)
        yield ""
