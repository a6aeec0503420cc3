"""The shim, compiled once; without a compiler there are no power cuts."""

from pathlib import Path

import pytest

from tests.powercut.shim import compiled
from tests.tools import needed


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed("gcc")
    return compiled(tmp_path_factory.mktemp("shim"))
