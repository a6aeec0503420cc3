"""`panelbridge` with a bug: its webhook sink raises something unforeseen for whatever is about `user:poison`."""

from bridge.__main__ import main
from bridge.message import Message
from bridge.sinks.http import Request
from bridge.sinks.webhook import WebhookSink

build = WebhookSink.build


def poisoned(sink: WebhookSink, message: Message) -> Request:
    if message.event.subject == "user:poison":
        raise ZeroDivisionError("a bug")
    return build(sink, message)


WebhookSink.build = poisoned  # type: ignore[method-assign]
main()
