"""A long run, to find what short ones do not: `python -m tests.chaos --seed 7 --minutes 10 --store postgresql`."""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.clocks import libfaketime
from tests.chaos.plan import Fault, a_plan
from tests.chaos.report import report
from tests.chaos.run import run
from tests.chaos.stores import disk_can_be_filled


def main() -> int:
    """0 when every law held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--store", choices=("sqlite", "postgresql", "postgres"), default="postgresql")
    parser.add_argument("--replicas", type=int, default=None, help="2 with PostgreSQL; SQLite has one")
    parser.add_argument("--plan", action="store_true", help="print the plan, and do nothing")
    asked = parser.parse_args()
    store = "sqlite" if asked.store == "sqlite" else "postgresql"
    if store == "sqlite" and (asked.replicas or 1) > 1:
        parser.error("one SQLite file has one replica")
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{asked.seed}-"))
    folder.chmod(0o755)
    replicas = asked.replicas or (1 if store == "sqlite" else 2)
    without = dict(impossible(folder))
    plan = a_plan(asked.seed, seconds=asked.minutes * 60, store=store, replicas=replicas, without=without)
    print(plan)
    for fault, why in without.items():
        print(f"left out: {fault}: {why}")
    sys.stdout.flush()
    if asked.plan:
        return 0
    story, broken = asyncio.run(run(plan, folder))
    print(f"\nlogs in {folder}\n")
    print("\n".join(report(story)))
    print()
    print("\n".join(broken) or "every law held")
    return 1 if broken else 0


def impossible(folder: Path) -> Iterator[tuple[Fault, str]]:
    """What cannot be made to happen on this machine, and why."""
    if not disk_can_be_filled(folder):
        yield Fault.FILL_DISK, "no small disk can be mounted here"
    if libfaketime() is None:
        yield Fault.STEP, "libfaketime is not installed"


if __name__ == "__main__":
    sys.exit(main())
