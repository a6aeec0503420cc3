"""Every measure runs, with counts too small to say anything, against real processes; nothing leaves this machine."""

import os
import time
from pathlib import Path

import psycopg
import pytest

from bench.__main__ import MINUTES, Unmeasured, main, measured
from bench.client import Connection
from bench.counts import FULL, TINY
from bench.measures import MEASURES, Measure
from bench.postgres import a_durable_postgres
from bench.processes import ENVIRONMENT, Process
from bench.rounds import in_turn


@pytest.mark.process
@pytest.mark.parametrize("name", MEASURES)
async def test_a_measure_gives_figures(name: str) -> None:
    figures = await MEASURES[name].run(TINY)
    assert figures
    assert len({one.name for one in figures}) == len(figures)
    for one in figures:
        assert len(one.ours) == 1, one.name
        assert len(one.beside) in (0, 1), one.name
        assert len(one.floor) in (0, 1), one.name
        assert one.value == one.value, one.name  # not the NaN of nothing measured
    rates = [one for one in figures if one.unit == "requests/s" and "replicas" not in one.name]
    assert [one.name for one in rates if f"{one.name}: processor time" not in {other.name for other in figures}] == []


@pytest.mark.process
async def test_postgresql_is_measured_with_fsync() -> None:
    with a_durable_postgres() as server, psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        for name in ("fsync", "synchronous_commit"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)


def test_whoever_is_measured_reads_compiled_bytecode() -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in ENVIRONMENT


def test_there_are_five_rounds() -> None:
    assert FULL.rounds == 5


async def test_rounds_are_taken_in_turn_and_every_other_one_backwards() -> None:
    order: list[str] = []

    async def note(name: str) -> int:
        order.append(name)
        return len(order)

    results = await in_turn(3, {name: lambda name=name: note(name) for name in "abc"})
    assert "".join(order) == "abccbaabc"
    assert results == {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]}


async def test_a_load_goes_nowhere_but_to_this_machine() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 alone, not to example\.com"):
        await Connection.open("http://example.com/in/marzban")


def test_processor_time_is_what_the_kernel_counts() -> None:
    before = Process(os.getpid(), "", 0.0).cpu_seconds
    first, last = before, before
    while last == first:  # until it has counted something
        sum(range(100_000))
        last = Process(os.getpid(), "", 0.0).cpu_seconds
    assert before < last <= time.process_time()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (TimeoutError(), "odd: something was not answered in time"),
        (RuntimeError("not taken: b'HTTP/1.1 503'"), "odd: not taken: b'HTTP/1.1 503'"),
    ],
)
async def test_a_measure_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, failure: Exception, said: str) -> None:
    async def fails(_: object) -> list[object]:
        raise failure

    async def nothing() -> None: ...

    monkeypatch.setitem(MEASURES, "odd", Measure("Odd", fails))
    monkeypatch.setattr("bench.__main__.warm", nothing)
    with pytest.raises(Unmeasured, match="odd") as caught:
        await measured(["odd"], TINY)
    assert str(caught.value) == said
    assert MINUTES <= 25


def test_what_is_no_measure_is_named_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "ingest", "ingets"])
    with pytest.raises(SystemExit, match="2"):
        main()
    said = capsys.readouterr().err
    assert "no measure named 'ingets'" in said
    assert ", ".join(MEASURES) in said


@pytest.mark.parametrize("keeps", [["--baseline"], ["--write", "docs/performance.md"]])
def test_what_is_kept_is_a_whole_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keeps: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "ingest", *keeps])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "name no measure" in capsys.readouterr().err


def test_a_page_that_has_no_place_for_figures_is_named_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Performance\n")
    for one, said in ((page, "should have the lines"), (tmp_path / "none.md", "No such file")):
        monkeypatch.setattr("sys.argv", ["bench", "--write", str(one)])
        with pytest.raises(SystemExit, match="2"):
            main()
        assert said in capsys.readouterr().err
