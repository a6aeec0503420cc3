"""What docs/configuration.md says that `check` says, it says."""

import re
from pathlib import Path

import pytest

from bridge.cli import main
from tests.pages import blocks

MISTAKES = """sources:
  marzban: {panel: marzban, secret: a-long-random-text}

templates: my-templates

routes:
  # who expires is told to both

  - to: [team, opps]
    match: user.expired
sinks:
  ops: {type: console, tmeout: 3}
  team: {type: console}
"""
WARNINGS = """sources:
  marzban: {panel: marzban, secret: a-long-random-text}
sinks:
  op: {type: console}
routes:
  - {to: op, match: ["users.*", "*"], stop: true}
  - {to: op, match: user.created}
"""


[SAYS_MISTAKES, SAYS_WARNINGS] = [one.text for one in blocks("text") if one.text.startswith("config.yaml:")]


@pytest.mark.parametrize(("text", "code"), [(SAYS_MISTAKES, 2), (SAYS_WARNINGS, 0)])
def test_check_says_what_the_document_shows(
    text: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(MISTAKES if code else WARNINGS)
    template = Path("my-templates/discord/user.j2")
    template.parent.mkdir(parents=True)
    template.write_text("{% block description %}\n{{ name|shout }}{% endblock %}\n")
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert (ended.value.code or 0) == code
    assert re.sub(rf"{tmp_path}/", "", capsys.readouterr().err) == text
