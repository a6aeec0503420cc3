"""A bridge that cannot start says why, in one sentence; a store that is away while the file changes is waited for."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import app, watching
from bridge.errors import BridgeError, StoreUnavailable
from bridge.reload.plan import Planner
from bridge.reload.reloader import Reloader
from bridge.store.outbox import SqlOutbox
from tests.fakes import FakeClock, no_parts
from tests.processes import PATIENCE


@pytest.mark.parametrize(
    "step",
    [
        pytest.param((app, "bound_socket"), id="listen"),
        pytest.param((app, "open_outbox"), id="open the store"),
        pytest.param((Planner, "plan"), id="make all that the file asks for"),
        pytest.param((SqlOutbox, "keep_directory"), id="keep the directory in a store that has just gone"),
        pytest.param((Reloader, "apply"), id="put the file in place"),
        pytest.param((app, "serving"), id="answer"),
    ],
)
async def test_what_it_cannot_do_is_said_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str]
) -> None:
    monkeypatch.setattr(*step, _failing(StoreUnavailable("store: it has gone")))
    with pytest.raises(BridgeError, match=r"^store: it has gone$"):
        await app._run(*_bridge(tmp_path), None)


async def test_a_bug_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reloader, "apply", _failing(KeyError("ours")))
    with pytest.raises(ExceptionGroup) as caught:
        await app._run(*_bridge(tmp_path), None)
    assert isinstance(caught.value.exceptions[0], KeyError)


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([StoreUnavailable("store: it is away")] * 3, [*["config.store_away"] * 3, "config.reloaded"]),
        ([BridgeError("a sink cannot be made")], ["config.rejected"]),
        ([], ["config.reloaded"]),
    ],
)
async def test_a_file_is_put_in_place_once_the_store_is_back_and_one_with_a_mistake_is_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    errors: list[BridgeError],
    said: list[str],
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(watching, "STANDS_STILL", 0.0)
    path, before = _bridge(tmp_path)
    failures = list(errors)

    async def apply(_: Reloader, loaded: app.Loaded, **__: object) -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr(Reloader, "apply", apply)
    nobody = no_parts()
    reloader = Reloader(path, nobody, nobody, nobody, FakeClock())
    reloader._loaded = before
    requested = asyncio.Event()
    requested.set()
    watch = asyncio.create_task(reloader.watch(requested))
    async with asyncio.timeout(PATIENCE):
        while caplog.messages[-1:] != said[-1:]:
            await asyncio.sleep(0)
    watch.cancel()
    assert [one for one in caplog.messages if one != "config.warning"] == said


def _bridge(folder: Path) -> tuple[Path, app.Loaded]:
    path = folder / "config.yaml"
    store, sinks = f"sqlite:///{folder}/panelbridge.db", "{ops: {type: console}}"
    path.write_text(f"listen: 127.0.0.1:0\nstore: {store}\nadmin: null\nsinks: {sinks}\n")
    return path, app.load(path)


def _failing(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail
