"""What is left to say where no template works: types, subjects and counts, in no language."""

from collections.abc import Sequence

from bridge.event import Event
from bridge.markup.service import Service
from bridge.message import Circumstances, Tally

#: Where the sink puts how many events it had no room for.
MORE = "… +{more}"
KINDS = 15  # types that are counted by name
INSTEAD = 300  # characters of what happened elsewhere


def event_blocks(event: Event, service: Service, circumstances: Circumstances) -> dict[str, str]:
    """The type and the subject, in those of the blocks that are meant for words."""
    words = _words(service.blocks, service.text.escape(event.type), service.text.escape(event.subject))
    return words | {"remarks": remarks(circumstances, service)}


def digest_blocks(tally: Tally, service: Service, circumstances: Circumstances) -> dict[str, str]:
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


def _words(names: Sequence[str], title: str, description: str) -> dict[str, str]:
    words = {"title": title, "description": description, "text": f"{title}\n{description}".strip()}
    blocks = {name: words.get(name, "") for name in names}
    return blocks if any(blocks.values()) else dict.fromkeys(names[:1], words["text"])
