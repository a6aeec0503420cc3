"""The pictures of the documents: each is there and named, small, and as wide as was asked for."""

from pathlib import Path

import pytest
from PIL import Image

from bridge.admin.actions import ACTIONS
from bridge.admin.mutes import muted_thing
from bridge.config.load import load
from bridge.config.model import Config
from bridge.routing import Router
from bridge.samples import PANELS
from bridge.sinks import CONFIGS
from tests.documents.pictures import FOLDER, all_pictures, sink_pictures
from tests.documents.window import DONE, FILE, MUTED, TOLD, heard
from tests.pages import Piece, pictures

BIGGEST, ALL = 150_000, 3_000_000  # bytes
WORDS = [config.model_fields["type"].default for config in CONFIGS]


@pytest.fixture
def window(tmp_path: Path) -> Config:
    file = tmp_path / "config.yaml"
    file.write_text(FILE.format(store="sqlite:///panelbridge.db", admin=""))
    return load(file, {}).config


@pytest.mark.parametrize("picture", pictures(), ids=str)
def test_every_picture_that_is_named_is_there_and_says_what_is_on_it(picture: Piece) -> None:
    assert (picture.page.parent / picture.text).resolve().is_file(), picture.text
    assert picture.info, f"{picture}: {picture.text} says nothing to those who do not see it"


def test_every_picture_is_named_and_taken_by_the_command() -> None:
    lying = {file.name for file in FOLDER.iterdir()}
    named = {(one.page.parent / one.text).resolve() for one in pictures()}
    assert lying == {file.name for file in named if file.parent == FOLDER}
    assert lying <= {f"{one.name}.png" for one in all_pictures()}


def test_pictures_are_small_and_as_wide_as_was_asked_for() -> None:
    asked = {f"{one.name}.png": one.width for one in all_pictures() if one.only is None}
    for file in FOLDER.iterdir():
        with Image.open(file) as picture:
            assert picture.width == asked.get(file.name, picture.width), file.name
    sizes = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert max(sizes.values()) <= BIGGEST, sizes
    assert sum(sizes.values()) <= ALL


def test_every_panel_says_something_in_the_window() -> None:
    assert {panel for panel, *_ in TOLD} == set(PANELS)
    for one in TOLD:
        assert heard(*one).source == one[0]


def test_what_was_done_and_muted_in_the_window_can_be() -> None:
    assert {action for _, _, action, _ in DONE} <= {one.name for one in ACTIONS}
    assert DONE
    assert {str(muted_thing(what)[0]) for _, _, what, _ in MUTED} == {"subject", "sink"}


def test_there_is_a_sink_of_every_kind_in_the_window_and_something_goes_there(window: Config) -> None:
    router = Router(window.table(), sinks=window.all_sinks())
    reached = {one.sink for told in TOLD for one in router.route(heard(*told)).destinations}
    assert {window.sinks[sink].type for sink in reached} == set(WORDS)
    assert [one.name for one in sink_pictures()] == [f"to-{word}" for word in WORDS]
