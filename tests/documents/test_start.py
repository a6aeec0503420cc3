"""The quick start: a page for every panel and every kind of sink, with a file that works and the settings to paste."""

import re
from pathlib import Path

import pytest
import yaml

from bridge.config.endpoints import endpoints
from bridge.config.load import load
from bridge.config.model import Config
from bridge.samples import PANELS
from bridge.sinks import CONFIGS
from tests.pages import ROOT, blocks, links, pictures, stand_ins

FOLDER = ROOT / "docs" / "start"
TYPES = [config.model_fields["type"].default for config in CONFIGS]


def test_there_is_a_page_for_every_panel_and_every_kind_of_sink_and_for_customers_and_no_other() -> None:
    expected = (
        {f"from-{word}.md" for word in PANELS} | {f"to-{type_}.md" for type_ in TYPES} | {"README.md", "customers.md"}
    )
    assert {page.name for page in FOLDER.iterdir()} == expected


def shown(page: Path, folder: Path) -> Config:
    """The file that the page shows, with a public address as on the page."""
    [text] = [one.text for one in blocks("yaml") if one.page == page and "routes" in yaml.safe_load(one.text)]
    file = folder / "config.yaml"
    file.write_text(f"public_url: http://panelbridge:8080\n{text}")
    return load(file, stand_ins(text)).config


@pytest.mark.parametrize("panel", PANELS)
def test_what_a_panels_page_has_one_paste_is_what_the_bridge_says(panel: str, tmp_path: Path) -> None:
    page = FOLDER / f"from-{panel}.md"
    [endpoint] = endpoints(shown(page, tmp_path))
    text = page.read_text("utf-8")
    assert endpoint.panel == panel
    assert endpoint.url.split("<")[0] in text
    for line in endpoint.paste:
        settled = re.sub(r"<secret\\ of\\ [\w\\-]+>", r"[\\w -]+", re.escape(line.strip()))
        assert re.search(settled, text), line


@pytest.mark.parametrize("type_", TYPES)
def test_a_sinks_page_shows_a_file_in_which_something_goes_there(type_: str, tmp_path: Path) -> None:
    config = shown(FOLDER / f"to-{type_}.md", tmp_path)
    assert [one.type for one in config.sinks.values()] == [type_]
    assert {sink for _, route in config.table() for sink in route.to} == set(config.sinks)


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*-*.md")), ids=lambda page: page.stem)
def test_every_page_shows_its_picture_and_leads_on_to_all_that_is_known_of_it(page: Path) -> None:
    assert [one.text for one in pictures() if one.page == page] == [f"../pictures/{page.stem}.png"]
    targets = [one.text for one in links() if one.page == page]
    more = (
        f"../configuration.md#type-{page.stem.removeprefix('to-')}" if page.stem.startswith("to-") else "../panels.md#"
    )
    assert any(target.startswith(more) for target in targets)
    assert "../troubleshooting.md#why-did-my-message-not-arrive" in targets
