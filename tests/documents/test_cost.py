"""What one panel and one service cost, as CONTRIBUTING.md has it: every file is there, and none is left out."""

import re

import pytest

from tests.pages import ROOT

PAGE = "CONTRIBUTING.md"
#: A word of which folder or file says that it is the panel's or the service's alone.
OWN = {"Defguard": r"(^|/)(from-|test_)?defguard(\.|/)", "MAX": r"(^|/)(to-)?max(\.|/)"}
ELSEWHERE = re.compile(r"^\.(git|venv|ruff_cache|mypy_cache|pytest_cache|hypothesis)|__pycache__|^docs/gallery|^site/")


def files(name: str) -> set[str]:
    """What the table about it names."""
    lines = (ROOT / PAGE).read_text("utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"| {name} |"))
    rows = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(line.split("|")[1])
    return {one for row in rows for one in re.findall(r"`([^`]+)`", row)}


def own_files(name: str) -> set[str]:
    """The files that are its own, by their path."""
    paths = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file())
    return {path for path in paths if not ELSEWHERE.search(path) and re.search(OWN[name], path)}


@pytest.mark.parametrize("name", OWN)
def test_every_file_of_the_reckoning_is_there(name: str) -> None:
    assert files(name)
    assert [one for one in sorted(files(name)) if not (ROOT / one).exists()] == []


@pytest.mark.parametrize("name", OWN)
def test_no_file_of_its_own_is_left_out_of_the_reckoning(name: str) -> None:
    told = files(name)
    left_out = [one for one in sorted(own_files(name)) if not any(one == row or one.startswith(row) for row in told)]
    assert own_files(name)
    assert left_out == []
