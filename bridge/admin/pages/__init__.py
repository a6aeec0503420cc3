"""The pages: their addresses, in the order of the navigation.

To add one: a module here with a `view`, from a visit to a template's variables; a template of the same name beside it;
its row in PAGES; and its line in `views.py`. It answers GET, for whoever may look. What the template has in a block
`live` is also answered alone, to a request with `HX-Request`, and drawn anew by itself.
The macros of `_marks.html` are known in every template.
"""

from dataclasses import dataclass

from bridge.admin.language import N_


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    name    of its module and its template
    path    where it is, with `{…}` for what it is about
    title   what the navigation calls it; None where it is not there
    under   the page of the navigation that it belongs to
    icon    the name of its mark, in `_marks.html`
    narrow  whether the bar of a phone has it
    asks    whether it takes a form too, which changes nothing: what it asks about is too long for an address
    """

    name: str
    path: str
    title: str | None = None
    under: str = ""
    icon: str = ""
    narrow: bool = False
    asks: bool = False


PAGES = (
    Page("overview", "/", N_("Overview"), icon="overview", narrow=True),
    Page("events", "/events", N_("Events"), icon="list", narrow=True),
    Page("event", "/events/{id}", under="events"),
    Page("dead", "/dead", N_("Dead letters"), icon="letters", narrow=True),
    Page("routes", "/routes", N_("Routes"), icon="routes"),
    Page("tryit", "/try", N_("Try it"), icon="try", narrow=True, asks=True),
    Page("sinks", "/sinks", N_("Sinks"), icon="sinks", narrow=True),
    Page("sink", "/sinks/{sink}", under="sinks"),
    Page("settings", "/settings", N_("Settings"), icon="settings", narrow=True),
)
