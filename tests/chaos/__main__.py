"""A long run, to find what short ones do not: `python -m tests.chaos --seed 7 --minutes 10 --store postgresql`."""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import a_plan
from tests.chaos.run import run
from tests.chaos.world import disk_can_be_filled


def main() -> int:
    """0 when every law held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--replicas", type=int, default=None, help="2 with PostgreSQL; SQLite has one")
    parser.add_argument("--plan", action="store_true", help="print the plan, and do nothing")
    asked = parser.parse_args()
    if asked.store == "sqlite" and (asked.replicas or 1) > 1:
        parser.error("one SQLite file has one replica")
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{asked.seed}-"))
    folder.chmod(0o755)
    replicas = asked.replicas or (1 if asked.store == "sqlite" else 2)
    disk = asked.store != "sqlite" or disk_can_be_filled(folder)
    plan = a_plan(asked.seed, seconds=asked.minutes * 60, store=asked.store, replicas=replicas, disk=disk)
    print(plan, flush=True)
    if not disk:
        print("no disk is filled: a small one cannot be mounted here")
    if asked.plan:
        return 0
    story, broken = asyncio.run(run(plan, folder))
    print(f"\n{len(story.promised)} events answered 200, {len(story.told)} arrivals, logs in {folder}")
    print("\n".join(broken) or "every law held")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
