"""`python -m bench`: every figure of docs/performance.md, or those of the measures that are named."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import uvloop

from bench import baseline, report
from bench.counts import FULL, Counts
from bench.figures import Figure
from bench.machine import machine
from bench.measures import MEASURES
from bench.yardsticks import warm

MINUTES = 25


class Unmeasured(RuntimeError):
    """A measure that came to no figures, and why."""


def main() -> None:
    settings = _arguments(sys.argv[1:])
    lines = machine()
    print(report.listed(lines), flush=True)
    try:
        figures = uvloop.run(measured(settings.measures or list(MEASURES), FULL))
    except Unmeasured as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; nothing was written")
    then = baseline.read()
    print(f"\n{report.compared(figures, then)}")
    if settings.write:
        report.write(settings.write, report.report(lines, figures, then))
    if settings.baseline:
        baseline.write(baseline.Baseline(version("panelbridge"), lines, figures))


async def measured(names: Sequence[str], counts: Counts) -> dict[str, list[Figure]]:
    """The figures of each measure, printed as they come; raise Unmeasured where one fails, or all take too long."""
    figures: dict[str, list[Figure]] = {}
    doing = "starting everything once"
    try:
        async with asyncio.timeout(MINUTES * 60) as whole:
            await warm()
            for doing in names:
                started = time.monotonic()
                figures[doing] = await MEASURES[doing].run(counts)
                print(f"\n{report.section(doing, figures[doing])}", flush=True)
                print(f"bench: {doing} took {time.monotonic() - started:.0f} s", file=sys.stderr)
    except TimeoutError:
        limit = f"not done within {MINUTES} minutes" if whole.expired() else "something was not answered in time"
        raise Unmeasured(f"{doing}: {limit}") from None
    except RuntimeError as error:
        raise Unmeasured(f"{doing}: {error}") from error
    return figures


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="measure", help=f"{', '.join(MEASURES)}; all without any")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the figures between the markers of this page")
    parser.add_argument("--baseline", action="store_true", help="keep the figures as those of this release")
    settings = parser.parse_args(given)
    if unknown := [name for name in settings.measures if name not in MEASURES]:
        parser.error(f"no measure named {unknown[0]!r}; there are {', '.join(MEASURES)}")
    if settings.measures and (settings.write or settings.baseline):
        parser.error("--write and --baseline keep a whole run: name no measure")
    try:  # who has waited for the figures should not learn then that there is no place for them
        if settings.write:
            report.rewritten(settings.write.read_text("utf-8"), "")
    except (OSError, report.NoMarkers) as error:
        parser.error(f"{settings.write}: {error}")
    return settings


if __name__ == "__main__":
    main()
