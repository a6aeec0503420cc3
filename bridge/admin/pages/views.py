"""What each page shows. Imported when the first one is asked for: a bridge that nobody looks at does not pay for it."""

from collections.abc import Mapping

from bridge.admin.pages import (
    announce,
    announcement,
    announcements,
    dead,
    event,
    events,
    overview,
    people,
    person,
    routes,
    settings,
    sink,
    sinks,
    tryit,
)
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
    "people": people.view,
    "person": person.view,
    "announcements": announcements.view,
    "announce": announce.view,
    "announcement": announcement.view,
    "settings": settings.view,
}
