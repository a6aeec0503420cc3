"""What each page shows. Imported when the first one is asked for: a bridge that nobody looks at does not pay for it."""

from collections.abc import Mapping

from bridge.admin.pages import dead, event, events, overview, routes, settings, sink, sinks, tryit
from bridge.admin.visit import View

VIEWS: Mapping[str, View] = {
    "overview": overview.view,
    "events": events.view,
    "event": event.view,
    "dead": dead.view,
    "routes": routes.view,
    "tryit": tryit.view,
    "sinks": sinks.view,
    "sink": sink.view,
    "settings": settings.view,
}
