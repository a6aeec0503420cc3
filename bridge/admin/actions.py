"""What can be done on a page: a form's POST, for whoever may act, and a line of the log for each.

To add one: a function that does it, and its row in ACTIONS. It answers with where to go on, and what to say there.
What an action needs of the store is imported when it is pressed: a bridge that nobody looks at does not pay for it.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlencode

from bridge.admin.answers import RequestRefused
from bridge.admin.language import N_
from bridge.admin.one_time import OneTimeStore
from bridge.admin.state import ConfigState
from bridge.admin.visit import NotThere
from bridge.errors import BridgeError, StoreError
from bridge.event import iso
from bridge.telemetry import log
from bridge.value import Value, field

if TYPE_CHECKING:
    from bridge.admin.dead_letters import GroupSnapshot
    from bridge.admin.errands import Errands
    from bridge.admin.shapes import GroupDone
    from bridge.admin.trials.shapes import SentTest
    from bridge.admin.trials.sink_test import Probe
    from bridge.admin.trouble import StoreTrouble
    from bridge.store.ledger import Ledger
    from bridge.store.scrub import Scrubbed

LOG = logging.getLogger("bridge.admin")
T = TypeVar("T")
#: What of an action only the store remembers, where it can be forgotten: who was meant.
UNLOGGED = frozenset(("key",))
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)  # what a store can give, and an integer of it

_TICKED = re.compile(r"delivery-([0-9]{1,18})", re.ASCII)

#: What is said on the page that follows, by the word that its address carries.
NOTICES: Mapping[str, str] = {
    "resumed": N_("The lane flows again."),
    "flowed": N_("Nothing held this lane."),
    "reload": N_("The file is being read again."),
    "tested": N_("The test was delivered. Look for it there."),
    "failed": N_("The test was not delivered."),
    "muted": N_("Nobody is told of it until then. What comes is kept, held back."),
    "unmuted": N_("What comes from now on is told."),
    "stopped": N_("Nothing is told to them any more."),
    "started": N_("They are told again."),
    "wished": N_("That is what they are told from now on."),
    "linked": N_("The link is made. It stands below, this once."),
    "revoked": N_("Links that were given away, and not used, are void."),
    "unlinked": N_("No chat is theirs any more. The bot tells whoever is there."),
    "freed": N_("What they show to the bot links them again."),
    "forgotten": N_("They are forgotten. What the operator has written down elsewhere stays."),
    "forgetting": N_("They are being forgotten: that takes a while."),
    "announced": N_("It is on its way."),
    "held": N_("It is stopped. What is not sent yet is held back."),
    "released": N_("It goes on."),
    "retried": N_("It is sent to them once more."),
}


class LedgerOperation(Protocol):
    """Runs an operation over the ledger; what it returned, once all of it is committed."""

    def __call__(self, operation: "Callable[[Ledger], T]") -> Awaitable[T]: ...


class BridgeControls(Value):
    """What the running bridge lends for it.

    reload   has the file read again, soon
    resume   lets the lane of a sink flow again; whether anything held it
    ready    raises StoreError unless the store takes events
    carries  whether this process carries the lane of a sink
    operate  runs an operation over the ledger, and returns what came of it once it is committed
    probe    sends an event to a sink at once, past the outbox
    errands  what takes longer than a request may
    scrub    leaves texts of somebody who was forgotten nowhere in the store's file
    trouble  what the store said of late when it did not take what it was given; None where it did
    """

    reload: Callable[[], None]
    resume: Callable[[str], Awaitable[bool]]
    ready: Callable[[], Awaitable[None]]
    carries: Callable[[str], bool]
    operate: LedgerOperation
    probe: "Probe"
    errands: "Errands"
    scrub: "Callable[[Sequence[str]], Awaitable[Scrubbed]]"
    trouble: "Callable[[], StoreTrouble | None]" = lambda: None


class ActionRequest(Value):
    """One press of a button: `path` is what the `{…}` of the action's path are, `form` what was filled in, `tests` the
    last test of each sink, `who` as others are told, `once` keeps what the next page shows."""

    means: BridgeControls
    state: ConfigState
    path: Mapping[str, str]
    form: Mapping[str, str]
    now: datetime
    tests: "MutableMapping[str, SentTest]" = field(default_factory=dict)
    who: str = "page"
    once: OneTimeStore = field(default_factory=OneTimeStore)


class ActionResult(Value):
    """What came of it: the page to go on with, the notice there, and what the log says beside.

    said  what the page is told of it beside the notice
    did   whether anything was done at all: what was refused is in no audit
    """

    page: str
    notice: str
    fields: Mapping[str, object] = field(default_factory=dict)
    said: Mapping[str, object] = field(default_factory=dict)
    did: bool = True

    def address(self) -> str:
        said = {**self.said, **({"done": self.notice} if self.notice else {})}
        return f"{self.page}?{urlencode(said)}" if said else self.page


class AdminAction(Value):
    """`name` is what the log calls it."""

    name: str
    path: str
    do: Callable[[ActionRequest], Awaitable[ActionResult]]


async def reload(asked: ActionRequest) -> ActionResult:
    """Have the file read again, though nothing of it seems to have changed."""
    asked.means.reload()
    return ActionResult("/settings", "reload")


async def resume(asked: ActionRequest) -> ActionResult:
    """Let the lane of a sink flow again."""
    sink = asked.path["sink"]
    if sink not in asked.state.sinks:
        raise NotThere(N_("no sink is called %(name)s"), name=sink)
    held = await asked.means.resume(sink)
    return ActionResult(f"/sinks/{sink}", "resumed" if held else "flowed", {"sink": sink, "held": held})


async def send_test(asked: ActionRequest) -> ActionResult:
    """Send a sample to a sink at once."""
    from bridge.admin import operations

    sink, state = asked.path["sink"], asked.state
    sent = await operations.send_test(asked.means.probe, state.sinks, state.dry_run.sources, sink, at=asked.now)
    asked.tests[sink] = sent
    fields = {"sink": sink, "outcome": sent.outcome, "status": sent.status}
    return ActionResult(f"/sinks/{sink}", "tested" if sent.delivered else "failed", fields)


async def replay_group(asked: ActionRequest) -> ActionResult:
    """Send a group of dead letters again, as far as it was seen."""
    from bridge.admin import operations

    seen = _seen(asked.form)
    done = await asked.means.operate(lambda ledger: operations.replay_group(ledger, seen, now=asked.now))
    return _dealt_with("sent", done)


async def dismiss_group(asked: ActionRequest) -> ActionResult:
    """Put a group of dead letters away, as far as it was seen."""
    from bridge.admin import operations

    seen = _seen(asked.form)
    done = await asked.means.operate(lambda ledger: operations.dismiss_group(ledger, seen, now=asked.now))
    return _dealt_with("away", done)


async def restore_group(asked: ActionRequest) -> ActionResult:
    """Have a group of dead letters back that was put away."""
    from bridge.admin import operations

    seen = _seen(asked.form)
    return _dealt_with("back", await asked.means.operate(lambda ledger: operations.restore_group(ledger, seen)))


async def replay_event(asked: ActionRequest) -> ActionResult:
    """Send those deliveries of an event again that were ticked; what went nowhere where the table says now."""
    from bridge.admin import operations

    event, form, now = asked.path["event"], asked.form, asked.now
    page = f"/events/{event}"
    if form.get("by") == "table":
        router = asked.state.router
        made = await asked.means.operate(lambda ledger: operations.route_anew(ledger, event, router, (), now=now))
        return _sent_again(page, event, len(made))
    ids, once_more = _ticked(form), form.get("once_more") == "on"
    sent = await asked.means.operate(
        lambda ledger: operations.replay_ticked(ledger, event, ids, now=now, once_more=once_more)
    )
    if sent is None or not ids:
        return ActionResult(page, "", said={"ask": "again", "ticked": "-".join(map(str, ids))}, did=False)
    return _sent_again(page, event, len(sent))


def _sent_again(page: str, event: str, number: int) -> ActionResult:
    return ActionResult(page, "sent", {"event_id": event, "deliveries": number}, {"n": number}, did=number > 0)


def _ticked(form: Mapping[str, str]) -> list[int]:
    """The deliveries whose boxes were ticked."""
    return sorted(int(found[1]) for name in form if (found := _TICKED.fullmatch(name)))


async def mute(asked: ActionRequest) -> ActionResult:
    """Tell nobody of something for a while."""
    from bridge.admin import operations
    from bridge.admin.site import own_page

    what, lasting, back = (asked.form.get(name, "") for name in ("what", "for", "back"))
    names = {"sinks": asked.state.sinks, "sources": asked.state.source_names}
    try:
        done = await asked.means.operate(
            lambda ledger: operations.mute(ledger, what, lasting, **names, by=asked.who, now=asked.now)
        )
    except StoreError:
        raise
    except BridgeError as error:
        raise RequestRefused(400, "this cannot be muted", str(error)) from None
    page = back if own_page(back) and "?" not in back else "/settings"
    return ActionResult(page, "muted", {"what": done.what, "until": iso(done.until)})


async def unmute(asked: ActionRequest) -> ActionResult:
    """End a mute before its time."""
    from bridge.admin import operations

    id_ = asked.form.get("id", "")
    if not _ID.fullmatch(id_):
        raise RequestRefused(400, "the form is not whole", "It should name id.")
    try:
        done = await asked.means.operate(lambda ledger: operations.unmute(ledger, id_, now=asked.now))
    except StoreError:
        raise
    except BridgeError:
        return ActionResult("/settings", "unmuted")  # it was over, or somebody was quicker
    return ActionResult("/settings", "unmuted", {"what": done.what})


def people(name: str) -> Callable[[ActionRequest], Awaitable[ActionResult]]:
    """One of those about people and announcements."""

    async def act(asked: ActionRequest) -> ActionResult:
        from bridge.admin.people.actions import DOING

        return await DOING[name](asked)

    return act


def _dealt_with(notice: str, done: "GroupDone") -> ActionResult:
    number = len(done.deliveries)
    fields = {"sink": done.sink, "reason": done.reason, "deliveries": number, "later": done.later}
    return ActionResult("/dead", notice, fields, {"n": number, "later": done.later})


def _seen(form: Mapping[str, str]) -> "GroupSnapshot":
    from bridge.admin.dead_letters import GroupSnapshot

    first, through = form.get("first", ""), form.get("through", "")
    if not (_ID.fullmatch(first) and _ID.fullmatch(through) and form.get("sink") and form.get("key")):
        raise RequestRefused(400, "the form is not whole", "It should name sink, key, first and through.")
    return GroupSnapshot(form["sink"], form["key"], int(first), int(through))


async def remembered(
    means: BridgeControls, action: str, fields: Mapping[str, object], *, by: str, address: str, now: datetime
) -> None:
    """A line of the log and of the audit that somebody did this; an audit that fails does not undo it."""
    from bridge.admin import operations

    told = {name: value for name, value in fields.items() if name not in UNLOGGED}
    log(LOG, logging.INFO, "admin.acted", error=None, action=action, by=by, address=address, **told)
    try:
        await means.operate(
            lambda ledger: operations.remember(ledger, action, fields, who=who_acts(by, address), now=now)
        )
    except StoreError as error:
        log(LOG, logging.WARNING, "admin.audit_failed", action=action, reason=str(error))


def who_acts(by: str, address: str) -> str:
    """Who did something, as others are told: by which right, and from where."""
    return f"{by} at {address}"


_PERSON, _ANNOUNCEMENT = "/people/{realm}/{who}", "/announcements/{announcement}"
ACTIONS = (
    AdminAction("reload", "/settings/reload", reload),
    AdminAction("resume", "/sinks/{sink}/resume", resume),
    AdminAction("test", "/sinks/{sink}/test", send_test),
    AdminAction("replay", "/dead/replay", replay_group),
    AdminAction("replay", "/events/{event}/replay", replay_event),
    AdminAction("dismiss", "/dead/dismiss", dismiss_group),
    AdminAction("restore", "/dead/restore", restore_group),
    AdminAction("mute", "/mutes", mute),
    AdminAction("unmute", "/mutes/end", unmute),
    AdminAction("prefs", f"{_PERSON}/stop", people("stop")),
    AdminAction("prefs", f"{_PERSON}/start", people("start")),
    AdminAction("prefs", f"{_PERSON}/wishes", people("wishes")),
    AdminAction("link", f"{_PERSON}/link", people("link")),
    AdminAction("link", f"{_PERSON}/revoke", people("revoke")),
    AdminAction("link", f"{_PERSON}/unlink", people("unlink")),
    AdminAction("link", f"{_PERSON}/free", people("free")),
    AdminAction("forget", f"{_PERSON}/forget", people("forget")),
    AdminAction("announce", "/announcements/send", people("announce")),
    AdminAction("announce stop", f"{_ANNOUNCEMENT}/stop", people("announce_stop")),
    AdminAction("announce resume", f"{_ANNOUNCEMENT}/resume", people("announce_resume")),
    AdminAction("announce retry", f"{_ANNOUNCEMENT}/retry", people("announce_retry")),
)
