"""The shim, compiled once; without a compiler there are no power cuts."""

from pathlib import Path

import pytest

from tests.powercut.shim import COMPILER, compiled


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if COMPILER is None:
        pytest.skip("gcc is missing: no power cuts without the shim")
    return compiled(tmp_path_factory.mktemp("shim"))
