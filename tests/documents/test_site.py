"""The documents as a site: every page is in it, its links lead somewhere, and nothing comes from elsewhere."""

import asyncio
import fcntl
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge.admin.trials.preview import preview
from bridge.intake import Destination
from bridge.messages.catalog import LOCALES
from bridge.samples import samples
from bridge.sinks.chats import SERVICES, specimen
from tests.admin.drawings import Drawing, one_line
from tests.browser import SOON, a_browser
from tests.documents.desk import Desk
from tests.fakes import START
from tests.messages.speech import ENGLISH
from tests.pages import PAGES, ROOT
from tests.services.every import CHATS
from tests.sinks.values import tools

pytestmark = pytest.mark.process

SAMPLES = samples(at=START)
LOOKING = 4  # pages that are open at once: each is waited for until it asks for nothing more


def built(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """The site of a checkout, and what was said."""
    return subprocess.run([root / ".ci" / "site", site], capture_output=True, text=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once for all workers: by whoever comes first, and the others wait."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, made = shared / "site", shared / "site.is-made"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            done = built(ROOT, folder)
            assert done.returncode == 0, done.stdout + done.stderr
            made.touch()
    return folder


def in_navigation(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    else:
        for one in part.values() if isinstance(part, dict) else part:
            yield from in_navigation(one)


def test_every_page_stands_once_in_the_navigation_and_in_the_site(site: Path) -> None:
    project = tomllib.loads((ROOT / ".ci" / "zensical.toml").read_text("utf-8"))["project"]
    gallery = [f"docs/gallery/{service}-{locale}.md" for service in SERVICES for locale in LOCALES]
    pages = sorted([*gallery, *(str(page.relative_to(ROOT)) for page in PAGES)])
    assert sorted(in_navigation(project["nav"])) == pages
    for page in pages:
        assert (site / page.replace("README.md", "index.html").replace(".md", ".html")).exists(), page


#: Page → a link on it that leads nowhere.
ASTRAY = {"delivery.md": "nowhere.md", "security.md": "events.md#nowhere", "monitoring.md": "#nowhere"}


def test_a_link_to_a_page_or_a_place_that_is_not_there_ends_the_build(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.lay_out_the_project()
    for name, link in ASTRAY.items():
        with (desk.folder / "docs" / name).open("a") as page:
            page.write(f"\n[one more]({link})\n")
    done = built(desk.folder, tmp_path / "site")
    assert done.returncode == 1
    assert {name for name in ASTRAY if f"docs/{name}" in done.stdout + done.stderr} == {*ASTRAY}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("service", SERVICES)
def test_the_gallery_shows_every_event_as_people_would_see_the_request(site: Path, service: str, locale: str) -> None:
    page = (site / "docs" / "gallery" / f"{service}-{locale}.html").read_text("utf-8")
    drawn = [Drawing(one).words for one in re.findall(r"</style>(<div class=\"drawn.*?)</template>", page, re.DOTALL)]
    sink, to = specimen(SERVICES[service]).open(tools()), Destination("gallery", "route 1", None)
    asked = [preview(one, sink, ENGLISH, at=START, locale=locale, to=to) for one in SAMPLES]
    assert drawn == [one_line(CHATS[service].seen(one.shown)) for one in asked]


async def test_nothing_of_the_site_is_fetched_from_elsewhere(site: Path) -> None:
    asked: list[str] = []
    files = [*site.rglob("*.html")]
    async with a_browser() as browser:

        async def look(some: Sequence[Path]) -> None:
            page = await browser.new_page()
            page.set_default_timeout(SOON)
            page.on("request", lambda request: asked.append(request.url))
            for file in some:
                await page.goto(file.as_uri(), wait_until="networkidle")

        await asyncio.gather(*(look(files[number::LOOKING]) for number in range(LOOKING)))
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
