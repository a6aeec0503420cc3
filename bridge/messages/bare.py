"""What is left to say where no template works: types, subjects and counts, in no language."""

from collections.abc import Sequence

from bridge.event import Event
from bridge.markup.text import TEXTS, Text
from bridge.message import PLAIN, Circumstances, Tally

#: Where the sink puts how many events it had no room for.
MORE = "… +{more}"
KINDS = 15  # types that are counted by name
INSTEAD = 300  # characters of what happened elsewhere


def bare_event(
    event: Event, service: str, names: Sequence[str], circumstances: Circumstances = PLAIN
) -> dict[str, str]:
    """The type and the subject, in those of the blocks that are meant for words."""
    text = TEXTS.get(service, Text)
    said = _words(names, text.escape(event.type), text.escape(event.subject))
    return said | {"remarks": bare_remarks(circumstances, service)}


def bare_digest(
    tally: Tally, service: str, names: Sequence[str], circumstances: Circumstances = PLAIN
) -> dict[str, str]:
    """How many events of which type."""
    text = TEXTS.get(service, Text)
    lines = [text.escape(f"{type_} ×{count}") for type_, count in list(tally.kinds.items())[:KINDS]]
    said = _words(names, f"📬 ×{tally.total}", "\n".join(lines))
    return said | {"remarks": bare_remarks(circumstances, service)} | ({"more": MORE} if "more" in names else {})


def bare_remarks(circumstances: Circumstances, service: str) -> str:
    text = TEXTS.get(service, Text)
    instead = text.escape(circumstances.instead[:INSTEAD]) if circumstances.instead else ""
    lines = (
        circumstances.replay and "🔁",
        instead and f"↪️ {instead}",
        circumstances.repeats > 1 and f"×{circumstances.repeats}",
    )
    return "\n".join(line for line in lines if line)


def _words(names: Sequence[str], title: str, description: str) -> dict[str, str]:
    words = {"title": title, "description": description, "text": f"{title}\n{description}".strip()}
    said = {name: words.get(name, "") for name in names}
    return said if any(said.values()) else dict.fromkeys(names[:1], words["text"])
