"""One in each scene of the power cuts that `python -m tests.powercut` makes by the thousand."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.powercut.run import cut
from tests.powercut.scenes import SCENES

pytestmark = pytest.mark.process

AT_ONCE, SEED = 2, 7


@pytest.mark.long
def test_whatever_goes_on_when_the_power_goes_nothing_is_lost_or_broken_and_only_the_last_second_is_told_again(
    tmp_path: Path, shim: Path
) -> None:
    plans = [(scene, SEED + number) for number, scene in enumerate(SCENES)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = list(threads.map(lambda plan: cut(*plan, shim, tmp_path)[1], plans))
    broken = {f"{scene}, seed {seed}": breaches for (scene, seed), breaches in zip(plans, outcomes, strict=True)}
    assert not any(broken.values()), {plan: breaches for plan, breaches in broken.items() if breaches}
