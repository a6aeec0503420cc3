"""The pages: their addresses, in the order of the navigation.

To add one: a module here with a `view`, from a visit to a template's variables; a template of the same name beside it;
its row in PAGES; and its line in `views.py`. It answers GET, for whoever may look. What the template has in a block
`live` is also answered alone, to a request with `HX-Request`.
`live` of its row says that this block lives: a stream has it anew each time it is another (`admin/streams/live.py`).
The macros of `_marks.html` are known in every template.
"""

from bridge.admin.language import N_
from bridge.value import Value


class Page(Value):
    """One page.

    name    of its module and its template
    path    where it is, with `{…}` for what it is about
    title   what the navigation calls it; None where it is not there
    under   the page of the navigation that it belongs to
    icon    the name of its mark, in `_marks.html`
    narrow  whether the bar at the bottom of a phone has it; the others are marks at its top
    owned   whether an owner has it too, made of what is theirs: see `owned.py`
    asks    whether it takes a form too, which changes nothing: what it asks about is too long for an address
    live    of a page that lives, the names in its query that say what stands there; None of one that does not
    still   of a page that lives, the names in its query with which it stands still
    customers  whether it is in the navigation only where the file tells customers
    """

    name: str
    path: str
    title: str | None = None
    under: str = ""
    icon: str = ""
    narrow: bool = False
    asks: bool = False
    live: frozenset[str] | None = None
    still: frozenset[str] = frozenset()
    owned: bool = False
    customers: bool = False


PAGES = (
    Page("overview", "/", N_("Overview"), icon="overview", narrow=True, owned=True, live=frozenset()),
    Page(
        "events",
        "/events",
        N_("Events"),
        icon="list",
        narrow=True,
        owned=True,
        live=frozenset({"source", "type", "sink"}),
        still=frozenset({"q", "row", "state", "since", "before"}),
    ),
    Page("event", "/events/{id}", under="events", owned=True),
    Page("dead", "/dead", N_("Dead letters"), icon="letters", narrow=True, live=frozenset({"tab", "ask"})),
    Page("routes", "/routes", N_("Routes"), icon="routes", narrow=True, live=frozenset()),
    Page("tryit", "/try", N_("Try it"), icon="try", narrow=True, asks=True),
    Page("sinks", "/sinks", N_("Sinks"), icon="sinks", live=frozenset()),
    Page("sink", "/sinks/{sink}", under="sinks", live=frozenset()),
    Page("people", "/people", N_("People"), icon="people", customers=True),
    Page("person", "/people/{realm}/{who}", under="people"),
    Page("announcements", "/announcements", under="people"),
    Page("announce", "/announcements/new", under="people", asks=True),
    Page("announcement", "/announcements/{announcement}", under="people", live=frozenset({"state", "after"})),
    Page("settings", "/settings", N_("Settings"), icon="settings"),
)
