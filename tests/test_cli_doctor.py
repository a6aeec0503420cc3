"""`doctor` as it is typed: a line for each thing, what to do under it, and an exit status that programs go by."""

import json
from pathlib import Path

import pytest

from tests.commands import Run, typed_by

WELL = "sinks: {here: {type: console}}\nroutes: [{match: '*', to: here}]\n"
BROKEN = "sinks: {shop: {type: webhook, url: 'http://127.0.0.1:1/'}}\nroutes: [{match: '*', to: shop}]\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return typed_by(capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "config.yaml"


def write(file: Path, text: str) -> None:
    file.write_text(
        f"listen: 127.0.0.1:0\nadmin: {{listen: null}}\nstore: sqlite:///{file.parent}/panelbridge.db\n{text}"
    )
    file.chmod(0o600)


def test_where_nothing_is_broken_it_ends_with_0(run: Run, file: Path) -> None:
    write(file, WELL)
    status, out, err = run("doctor", file)
    assert (status, err) == (0, "")
    assert out.splitlines()[0].startswith("config    ✓ ")
    assert "here      ✓ shows messages on the terminal where the bridge runs" in out.splitlines()
    assert out.splitlines()[-1] == "1 wants a look."  # nothing can come in


def test_what_is_broken_is_told_with_what_to_do_and_it_ends_with_1(run: Run, file: Path) -> None:
    write(file, BROKEN)
    status, out, _ = run("doctor", file)
    assert status == 1
    at = out.splitlines().index("shop      ✗ no answer: connection refused")
    assert out.splitlines()[at + 1].startswith("            → It did not answer.")
    assert out.splitlines()[-1] == "1 thing is broken, 1 wants a look."


def test_as_json_it_is_a_row_each(run: Run, file: Path) -> None:
    write(file, BROKEN)
    status, out, _ = run("doctor", file, "--json")
    told = json.loads(out)
    assert (status, told["ok"]) == (1, False)
    [shop] = [one for one in told["rows"] if one["kind"] == "sink"]
    assert (shop["part"], shop["mark"], shop["text"]) == ("shop", "wrong", "no answer: connection refused")


@pytest.mark.parametrize("as_json", [True, False])
def test_of_a_wrong_file_its_mistakes_are_told_and_it_ends_with_2(run: Run, file: Path, as_json: bool) -> None:
    file.write_text("sinks: {here: {type: consol}}\n")
    status, out, err = run("doctor", file, *["--json"] * as_json)
    assert status == 2
    assert "config.yaml:1:" in (out if as_json else err)
    if as_json:
        assert [one["mark"] for one in json.loads(out)["rows"]] == ["wrong"]
