"""Strangers of all kinds at the door: `python -m tests.fuzz --seed 7 --minutes 10`."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.door import GROWTH, a_door
from tests.fuzz.grammar import KINDS
from tests.fuzz.run import fuzz

COUNT = 300  # requests of a kind at a time


async def run(seed: int, seconds: float) -> list[str]:
    """What was wrong; ends at the first fault."""
    until = time.monotonic() + seconds
    async with a_door(Path(tempfile.mkdtemp(prefix=f"fuzz-{seed}-"))) as door:
        usual = 0.0
        for seed_ in range(seed, seed + 1_000_000):
            for kind in KINDS:
                try:
                    fuzz(door, kind, seed=seed_, count=COUNT)
                except AssertionError as error:
                    return [f"{kind}, seed {seed_}: {error}"]
            if faults := door.faults():
                return [f"seed {seed_}: {fault}" for fault in faults]
            usual = usual or door.memory
            if door.memory > usual + GROWTH:
                return [f"seed {seed_}: memory grew from {usual:.0f} to {door.memory:.0f} MB"]
            if time.monotonic() > until:
                break
        print(f"{door.sent} requests from seed {seed}, memory {usual:.0f} → {door.memory:.0f} MB")
    return []


def main() -> int:
    """0 when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=10.0)
    asked = parser.parse_args()
    faults = asyncio.run(run(asked.seed, asked.minutes * 60))
    print("\n".join(faults) or "nothing was wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
