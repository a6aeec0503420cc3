"""Short ways to make a message and a sink, and the hostile texts that every sink must bear."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

from hypothesis import strategies as st
from pydantic import TypeAdapter

from bridge.event import new_id
from bridge.markup.text import JOINER, SPACE
from bridge.message import PLAIN, Circumstances, Dialect, Digest, DigestTally, Earlier, Message
from bridge.outcome import Away
from bridge.sinks import SinkSettings
from bridge.sinks.base import HttpSink, SinkConfig, Tools
from bridge.sinks.http import Http
from bridge.value import replace
from tests.fakes import START, an_event

CONFIGS: tuple[type[SinkConfig], ...] = get_args(get_args(SinkSettings)[0])
SETTINGS: TypeAdapter[SinkSettings] = TypeAdapter(SinkSettings)  # one: making it takes 20 ms

HOSTILE_NAMES = (
    "<!channel>",
    "@everyone",
    "<@&123>",
    "*_~`|",
    "{{7*7}}",
    "<b>bold",
    "</code>",
    "&lt;&amp;&",
    "\u202e\u2066evil\u200b",
    "نام کاربری",
    "👩‍👩‍👧" * 40,
    "\x00\x07\x1b[31m",
    "[click](http://evil.example)",
    "\\",
    "`" * 7,
    "\ud800",
)

words = st.text(max_size=20) | st.sampled_from(HOSTILE_NAMES)
#: What is long is so by repeating itself: to draw each of its letters takes longer than to send it.
long_texts = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=20), st.integers(1, 1000))
#: Anything at all, long or short, and the texts that people attack with.
hostile_texts = st.one_of(
    words,
    long_texts,
    st.builds(lambda lines, times: "\n".join(lines * times), st.lists(words, max_size=10), st.integers(1, 30)),
    st.lists(st.sampled_from(HOSTILE_NAMES), max_size=60).map(" ".join),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | long_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def visible(text: str) -> str:
    """The text without the spaces that keep a service from seeing a mention."""
    return text.replace(SPACE, "").replace(JOINER, "")


def config(**settings: Any) -> Any:
    """A sink's settings as the file would give them."""
    return SETTINGS.validate_python(settings)


def tools(http: Http | None = None, dialects: Mapping[str, Dialect] | None = None) -> Tools:
    return Tools(http or Http(), dialects or {})


def a_sink(http: Http | None = None, **settings: Any) -> HttpSink[Any]:
    sink: HttpSink[Any] = config(**settings).open(tools(http))
    return sink


def a_message(
    blocks: Mapping[str, str] | None = None,
    *,
    type_: str = "user.created",
    data: Mapping[str, Any] | None = None,
    template: str | None = None,
    subject: str | None = "user:alice",
    circumstances: Circumstances = PLAIN,
) -> Message:
    event = an_event(subject, type_=type_)
    event = event if data is None else replace(event, data=data)
    return Message(event=event, at=START, blocks=blocks or {}, template=template, circumstances=circumstances)


def repeated(message: Message, times: int) -> Message:
    return replace(message, circumstances=replace(message.circumstances, repeats=times))


def an_update(ref: str, blocks: Mapping[str, str], *, thread: bool = False, **given: Any) -> Message:
    """What is said later about the same subject."""
    earlier = Earlier(ref=ref, type="node.connection_lost", occurred_at=START, thread=thread)
    return a_message(blocks, type_="node.connection_restored", circumstances=Circumstances(earlier=earlier, **given))


def a_deletion(ref: str) -> Message:
    """That what was said before is taken back."""
    earlier = Earlier(ref=ref, type="message.posted", occurred_at=START, delete=True)
    return a_message({}, type_="message.posted", circumstances=Circumstances(earlier=earlier))


def a_digest(
    blocks: Mapping[str, str] | None = None,
    *parts: Message,
    untold: int = 0,
    silent: bool = False,
) -> Digest:
    """A digest of these parts, and of so many events that none of them tells."""
    events = [part.event for part in parts for _ in range(part.circumstances.repeats)]
    events += [an_event(f"user:{number}") for number in range(untold)]
    kinds = Counter(event.type for event in events)
    tally = DigestTally(kinds=kinds, shown=len(events) - untold, first_at=START, last_at=START)
    return Digest(id=new_id(), at=START, events=events, tally=tally, parts=parts, blocks=blocks or {}, silent=silent)


def between(status: int, content: str) -> Away:
    """The outcome of an answer that something in between gave."""
    return Away(f"HTTP {status} with {content}, which is not the service's own answer", counts=False)
