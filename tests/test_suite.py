"""What the tests themselves keep to."""

import subprocess
import sys

import pytest


def test_a_test_without_the_mark_cannot_start_a_process() -> None:
    with pytest.raises(RuntimeError, match="needs the mark `process`"):
        subprocess.run([sys.executable, "-c", ""], check=True)


@pytest.mark.process
def test_a_test_with_the_mark_can_start_a_process() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_a_store_in_postgresql_is_for_tests_with_the_mark(request: pytest.FixtureRequest, any_store_url: str) -> None:
    marked = request.node.get_closest_marker("process") is not None
    assert marked == any_store_url.startswith("postgresql")


def test_tests_have_the_same_names_in_every_worker(request: pytest.FixtureRequest) -> None:
    assert [item.nodeid for item in request.session.items if " at 0x" in item.nodeid] == []
