"""The gallery of the site: every event as each chat service draws it, in every language, a page for each of both.

    python .ci/gallery.py FOLDER

The drawings are those of the admin side, made from the very requests that would be sent. Each stands in a shadow root of
its own, where the site's styles do not reach it; whether it is light or dark it takes over.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.admin.trials.preview import preview
from bridge.intake import Destination
from bridge.markup.service import Service
from bridge.messages.catalog import LANGUAGES, LOCALES
from bridge.messages.renderer import Renderer
from bridge.samples import samples
from bridge.sinks.base import Tools
from bridge.sinks.chats import SERVICES, specimen
from bridge.sinks.http import Http

AT = datetime(2026, 11, 21, 4, 14, 18, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
EVENTS = samples(at=AT)
HEAD = """---
search:
  exclude: true
---

# {service}: {language}

Every event that the bridge knows, as {service} shows it. [What the gallery is](../gallery.md).
"""
EVENT = """
## `{type}`

<div class="gallery"><template shadowrootmode="open"><link rel="stylesheet" href="../../assets/previews.css"><style>\
.drawn{{color-scheme:inherit}}</style>{drawn}</template></div>
"""


def pages() -> Iterator[tuple[str, str]]:
    """The name of each page, and what it says."""
    for service in SERVICES.values():
        for locale in LOCALES:
            yield f"{service.name}-{locale}.md", page(service, locale)


def page(service: Service, locale: str) -> str:
    renderer = Renderer(folders=(), timezone=ZONE, locale=locale)
    sink, to = specimen(service).open(Tools(Http(), {})), Destination("gallery", "route 1", None)
    drawings = (
        (event.type, preview(event, sink, renderer, at=AT, locale=locale, to=to).drawn(ZONE).html)
        for event in EVENTS
    )
    head = HEAD.format(service=service.name, language=LANGUAGES[locale])
    return head + "".join(EVENT.format(type=type_, drawn=drawn) for type_, drawn in drawings)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for name, text in pages():
        (folder / name).write_text(text, "utf-8")
