"""What is left to say where no template works: types, subjects, posted words and counts, in no language."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.event import Event
from bridge.foreign import text
from bridge.markup.service import Service
from bridge.message import Circumstances, DigestTally
from bridge.posted import component_texts, posted_message

#: Where the sink puts how many events it had no room for.
MORE = "… +{more}"
KINDS = 15  # types that are counted by name
INSTEAD = 300  # characters of what happened elsewhere


def event_blocks(event: Event, service: Service, circumstances: Circumstances) -> dict[str, str]:
    """The type and the subject, of a posted message its words, in those of the blocks that are meant for words."""
    posted = "\n".join(service.text.lines(one) for one in _posted_texts(posted_message(event)))
    words = _words(service.blocks, service.text.escape(event.type), posted or service.text.escape(event.subject))
    return words | {"remarks": remarks(circumstances, service)}


def digest_blocks(tally: DigestTally, service: Service, circumstances: Circumstances) -> dict[str, str]:
    """How many events of which type."""
    names = service.digest_blocks
    lines = [service.text.escape(f"{type_} ×{count}") for type_, count in list(tally.kinds.items())[:KINDS]]
    words = _words(names, f"📬 ×{tally.total}", "\n".join(lines))
    return words | {"remarks": remarks(circumstances, service)} | ({"more": MORE} if "more" in names else {})


def remarks(circumstances: Circumstances, service: Service) -> str:
    instead = service.text.escape((circumstances.instead or "")[:INSTEAD])
    lines = (
        "🧪" if circumstances.test else "",
        "🔁" if circumstances.replay else "",
        f"↪️ {instead}" if instead else "",
        f"⏰ {reminder.number}/{reminder.most}" if (reminder := circumstances.reminder) else "",
        f"×{circumstances.repeats}" if circumstances.repeats > 1 else "",
    )
    return "\n".join(filter(None, lines))


def _posted_texts(post: Mapping[str, Any]) -> Iterator[str]:
    """The content, and the titles and descriptions of the embeds, whatever else stands in the message."""
    embeds = post.get("embeds")
    shown = [one for one in embeds if isinstance(one, Mapping)] if isinstance(embeds, list) else []
    described = (embed.get(key) for embed in shown for key in ("title", "description"))
    yield from filter(text, (post.get("content"), *component_texts(post.get("components")), *described))


def _words(names: Sequence[str], title: str, description: str) -> dict[str, str]:
    words = {"title": title, "description": description, "text": f"{title}\n{description}".strip()}
    blocks = {name: words.get(name, "") for name in names}
    return blocks if any(blocks.values()) else dict.fromkeys(names[:1], words["text"])
