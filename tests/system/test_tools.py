"""A tool that is missing is said by its name: skipped at home, a failure where everything is to be proved."""

import re

import pytest

from tests.pages import ROOT
from tests.tools import OPTIONAL, TOOLS, needed


@pytest.mark.parametrize("tool", TOOLS)
def test_a_missing_tool_skips_its_tests_and_fails_them_in_ci(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.tools.SBIN", "")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI_TOOLS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"{tool} is missing"):
        needed(tool)
    monkeypatch.setenv("CI_TOOLS", "required")
    with pytest.raises(pytest.fail.Exception, match=f"{tool} is missing"):
        needed(tool)


@pytest.mark.parametrize("tool", OPTIONAL)
def test_what_cannot_be_had_everywhere_is_skipped_everywhere(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.tools.SBIN", "")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI_TOOLS", "required")
    with pytest.raises(pytest.skip.Exception, match=f"{tool} is missing"):
        needed(tool)


def test_ci_installs_each_tool_and_requires_it() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "export CI_TOOLS=required" in script
    [asked] = re.findall(r"for tool in ([^;]+);", script)
    assert sorted(asked.split()) == sorted(TOOLS)
