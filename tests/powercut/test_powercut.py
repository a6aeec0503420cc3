"""A few of the power cuts that `python -m tests.powercut` makes by the thousand."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.powercut.laws import breaches
from tests.powercut.run import run
from tests.powercut.scenes import SCENES
from tests.powercut.shim import COMPILER, compiled

CUTS = 20
SEED = 7

pytestmark = pytest.mark.skipif(COMPILER is None, reason="gcc is missing: no power cuts without the shim")


def test_whatever_goes_on_when_the_power_goes_nothing_is_lost_or_broken_and_only_the_last_second_is_told_again(
    tmp_path: Path,
) -> None:
    shim = compiled(tmp_path)

    def cut(number: int) -> str:
        scene, folder = list(SCENES)[number % len(SCENES)], tmp_path / str(number)
        folder.mkdir()
        broken = breaches(asyncio.run(run(scene, SEED + number, shim, folder)))
        return "\n".join([f"{scene}, seed {SEED + number}, in {folder}:", *broken]) if broken else ""

    with ThreadPoolExecutor(2) as threads:
        broken = list(filter(None, threads.map(cut, range(CUTS))))
    assert not broken, "\n\n".join(broken)
