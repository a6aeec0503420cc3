"""Many power cuts, each from a seed: `python -m tests.powercut --cuts 1000 --seed 7`."""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.powercut.report import Report
from tests.powercut.run import cut
from tests.powercut.scenes import SCENES
from tests.powercut.shim import COMPILER, compiled


def main() -> int:
    """0 when every law held."""
    parser = argparse.ArgumentParser(prog="python -m tests.powercut", description=__doc__)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--scene", choices=SCENES, action="append", help="one of them, or several; all if not given")
    parser.add_argument("--at-once", type=int, default=1, help="machines at the same time")
    asked = parser.parse_args()
    if COMPILER is None:
        parser.error("gcc is missing: no power cuts without the shim")
    folder = Path(tempfile.mkdtemp(prefix=f"powercut-{asked.seed}-"))
    print(f"{asked.cuts} cuts from seed {asked.seed}, in {folder}", flush=True)
    shim, began = compiled(folder), time.monotonic()
    scenes = [*(asked.scene or SCENES)]
    plans = [(scenes[number % len(scenes)], asked.seed + number) for number in range(asked.cuts)]
    sums: dict[str, Counter[str]] = {scene: Counter() for scene in scenes}
    with ThreadPoolExecutor(asked.at_once) as threads:
        for (scene, seed), (report, broken) in zip(
            plans, threads.map(lambda plan: cut(*plan, shim, folder), plans), strict=True
        ):
            sums[scene] += _counted(report, broken)
            if broken:
                print(f"\n{scene}, seed {seed}:", *broken[:10], sep="\n    ", flush=True)
    _print(sums, time.monotonic() - began)
    return 1 if any(one["broken"] for one in sums.values()) else 0


def _counted(report: Report, broken: list[str]) -> Counter[str]:
    again = len(report.arrivals) - len({one.event for one in report.arrivals})
    return Counter(
        cuts=1,
        looks=report.looks,
        answered=len(report.answered),
        arrived=len(report.arrivals),
        again=again,
        broken=bool(broken),
    ) + Counter({"at stake": report.loose})


def _print(sums: dict[str, Counter[str]], seconds: float) -> None:
    columns = ("cuts", "looks", "answered", "arrived", "again", "at stake", "broken")
    print(f"\n{'scene':16}", *(f"{column:>9}" for column in columns))
    for scene, one in {**sums, "all": sum(sums.values(), Counter())}.items():
        print(f"{scene:16}", *(f"{one[column]:9}" for column in columns))
    print(f"in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
