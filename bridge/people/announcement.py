"""What an announcement is: an event of the bridge's own about one customer, which has the operator's words with it."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from bridge.event import Event, new_id
from bridge.people.recipient import Audience
from bridge.vocabulary import OWN_SOURCE

#: Its type, and the key of `data` under which its words stand.
ANNOUNCEMENT = "announcement"
ANNOUNCEMENT_STOPPED = "the announcement was stopped"
UNCERTAIN = "uncertain: the bridge ended while it was being sent, and they may have got it"


def is_announcement(event: Event) -> bool:
    """Whether it is one: no panel can make any, for no source may be called as the bridge calls itself."""
    return event.source == OWN_SOURCE and event.type == ANNOUNCEMENT


def text_of(event: Event) -> str | None:
    """The operator's words, a template; None where it is no announcement."""
    said = event.data.get(ANNOUNCEMENT) if is_announcement(event) else None
    text = said.get("text") if isinstance(said, Mapping) else None
    return text if isinstance(text, str) else None


def announcement(name: str, text: str, at: datetime) -> Event:
    """That a customer is told this."""
    return Event(
        id=new_id(),
        source=OWN_SOURCE,
        panel=OWN_SOURCE,
        type=ANNOUNCEMENT,
        native_type=ANNOUNCEMENT,
        subject=f"{Audience.PERSON.kind}:{name}",
        occurred_at=at,
        received_at=at,
        data={"user": {"username": name}, ANNOUNCEMENT: {"text": text}},
        native=None,
    )


def place_in_line(key: str) -> str:
    """In which order customers are told, by their keys: what is kept of how far it is names nobody."""
    return sha256(key.encode()).hexdigest()
