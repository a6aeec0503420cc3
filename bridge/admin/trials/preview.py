"""What would be sent for an event, and how it would look: for the command line, programs and pages alike.

Why one function: a preview that is made by other code than what is sent lies sooner or later. The request is built by
the sink itself, and what is drawn is that request's body.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.admin.trials.request_drawing import drawn_request
from bridge.admin.trials.shapes import MeasureShape, Previewed, RequestShape
from bridge.clock import in_zone
from bridge.delivery.attempt import Customer, customer_message, rendered_message
from bridge.event import Event, JsonObject
from bridge.intake import Destination
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, ServiceLook
from bridge.message import PLAIN, Circumstances, Message
from bridge.messages.customer import is_told
from bridge.messages.renderer import Renderer
from bridge.people.address import Address, is_expression
from bridge.people.recipient import Audience
from bridge.people.reduced import reduced
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.sinks.base import ServiceSink, Sink, Tools
from bridge.sinks.chats import specimen
from bridge.sinks.http import Http, Request
from bridge.value import Value, replace


class Preview(Value):
    """One event for one sink, as it would go out.

    why      the row that has it sent, or that it was asked for
    service  whose message it is, None for a program
    request  `method`, `url`, `headers` and `body`, secrets masked; None where none is sent: a terminal shows it
    shown    what is drawn of it: the body that the service gets
    fault    what is wrong with the template, where the built-in one was used in its place
    """

    event: Event
    sink: str
    why: str
    message: Message
    service: Service | None
    request: RequestShape | None
    shown: JsonObject
    fault: str | None

    def drawn(self, zone: ZoneInfo) -> Drawn:
        """As the service draws it; a program's request as it goes out; times in that zone."""
        if self.service is not None:
            return self.service.draw(self.shown, in_zone(self.message.at, zone))
        return drawn_request(self.request, self.event)

    def shape(self, zone: ZoneInfo, *, html: bool = True) -> Previewed:
        """As it is shown, times in that zone; without `html` all but the drawing itself."""
        drawn = self.drawn(zone)
        return Previewed(
            sink=self.sink,
            service=self.service.name if self.service else None,
            why=self.why,
            blocks=dict(self.message.blocks),
            request=self.request,
            fault=self.fault,
            measures=tuple(map(MeasureShape.model_validate, drawn.measures)),
            html=str(drawn.html) if html else None,
        )


def preview(
    event: Event,
    sink: Sink,
    renderer: Renderer,
    *,
    at: datetime,
    locale: str | None = None,
    to: Destination,
    circumstances: Circumstances = PLAIN,
    rules: CustomerRules = NO_RULES,
) -> Preview:
    """What the sink would be sent at `at`, in `locale` or else its own language, for the row that names it in `to`.

    `rules`: who speaks to customers, where it is for one.
    """
    look = replace(sink.look, locale=locale) if locale else sink.look
    audience = sink.addressing.audience if sink.addressing is not None else None
    if audience is Audience.PERSON:
        brand = rules.speaker(to.terms)
        customer = Customer(renderer.timezone, locale=None if locale else brand.locale, brand=brand)
        message, fault = _for_customer(event, look, renderer, customer, at)
    else:
        seen = event if audience is None else reduced(event, audience)
        message, fault = rendered_message(
            seen, look, renderer, at=at, template=to.template, circumstances=circumstances
        )
    request, shown = None, {}
    if isinstance(sink, ServiceSink):
        request = _masked(sink, _first_request(_somewhere(sink, event), message))
        shown = request.body if isinstance(request.body, dict) else {}
    elif (service := sink.look.service) is not None:
        shown = json.loads(specimen(service).open(Tools(Http(), {})).build(message).json)
    return Preview(event, to.sink, to.row, message, sink.look.service, request, shown, fault)


def _somewhere(sink: ServiceSink[Any], event: Event) -> ServiceSink[Any]:
    """The sink for one address: that of the event, where it says one by itself, else one at which nobody is."""
    if sink.addressing is None:
        return sink
    if isinstance(to := sink.addressing.resolve(event, None), Address):
        return sink.at(to)
    if (service := sink.look.service) is None:
        return sink
    nobodys = specimen(service)
    names = [name for name in sink.config.address_forms if is_expression(getattr(sink.config, name))]
    return sink.at(Address("", {name: getattr(nobodys, name) for name in names}))


def _for_customer(
    event: Event, look: ServiceLook, renderer: Renderer, customer: Customer, at: datetime
) -> tuple[Message, str | None]:
    """What a customer would be told; nothing, where there are no words for it."""
    if not is_told(event, at):
        return Message(event=event, at=at), f"there is nothing to tell a customer of {event.type}"
    return customer_message(event, look, renderer, customer, at=at)


def _first_request(sink: ServiceSink[Any], message: Message) -> Request:
    """The request that carries it; of an update the one that is tried first."""
    update = next(sink.flow(message), None) if message.circumstances.earlier else None
    return update or sink.build(message)


def _masked(sink: ServiceSink[Any], request: Request) -> RequestShape:
    text = sink.mask(request.json.decode("utf-8", "replace"))
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    headers: Mapping[str, str] = {name: sink.mask(value) for name, value in request.headers.items()}
    return RequestShape(method=request.method, url=sink.mask(str(request.url)), headers=dict(headers), body=body)
