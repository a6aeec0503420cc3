"""A bridge under measurement, with the file that says what it carries where."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from bench.processes import Process, a_folder, free_port, listening

PAUSED, UNLIMITED = "rate: 1/d", "rate: unlimited"

CONFIG = """\
listen: 127.0.0.1:{port}
store: {store}
log: {{level: {log}}}
sources:
  marzban: {{panel: marzban, secret: bench}}
  posts: {{panel: discord, secret: bench}}
  signed: {{panel: remnawave, secret: bench}}
sinks:
{sinks}
routes:
{rows}
"""


@asynccontextmanager
async def bridge(
    sinks: Mapping[str, str], *, rows: Sequence[str] = (), more: str = "", log: str = "warning", store: str = ""
) -> AsyncIterator[Process]:
    """A bridge with these webhook sinks: name → its settings.

    Its row sends users' events to all of them, and asks for `more`; other `rows` stand before it. Its store is an empty
    SQLite file on this disk, or the one that is given.
    """
    with a_folder() as folder:
        port = free_port()
        all_rows = (*rows, f"match: user.*, to: [{', '.join(sinks)}]{more}")
        text = CONFIG.format(
            port=port,
            store=store or f"sqlite:///{folder}/bench.db",
            log=log,
            sinks="\n".join(f"  {name}: {{type: webhook, {settings}}}" for name, settings in sinks.items()),
            rows="\n".join(f"  - {{{row}}}" for row in all_rows),
        )
        file = folder / "config.yaml"
        file.write_text(text)
        async with listening("bridge", "run", "--config", str(file), port=port) as process:
            yield process


def sinks(url: str, settings: str, *, count: int = 2) -> dict[str, str]:
    """So many sinks at one address, with these settings."""
    return {f"sink{number}": f"url: '{url}', {settings}" for number in range(count)}
