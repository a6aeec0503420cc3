"""What is done on the pages of people and announcements. Imported when the first of it is pressed."""

from collections.abc import Awaitable, Callable, Mapping

from bridge.admin.actions import ActionRequest, ActionResult
from bridge.admin.answers import RequestRefused
from bridge.admin.pages.announce import FIELDS, wanted_in
from bridge.admin.people import announcements, drafts, forgetting
from bridge.admin.people import wishes as wishing
from bridge.admin.people.customers import parts_of, person_path
from bridge.admin.people.people import spoken_to
from bridge.admin.visit import NotThere
from bridge.errors import BridgeError, StoreError, UnknownName
from bridge.people.wants import CATEGORIES, OVERRIDING

CHOICES: Mapping[str, bool | None] = {"on": True, "off": False, "": None}


async def stop(asked: ActionRequest) -> ActionResult:
    return await _stopped(asked, stopped=True)


async def start(asked: ActionRequest) -> ActionResult:
    return await _stopped(asked, stopped=False)


async def _stopped(asked: ActionRequest, *, stopped: bool) -> ActionResult:
    key = _key(asked)
    await asked.means.operate(lambda ledger: wishing.stop(ledger, key, stopped=stopped, now=asked.now))
    said = ["stop" if stopped else "start"]
    return ActionResult(person_path(key), "stopped" if stopped else "started", {"key": key, "wants": said})


async def wishes(asked: ActionRequest) -> ActionResult:
    """What the form says of them; what it leaves empty is as the file says."""
    key, form = _key(asked), asked.form
    said: dict[str, bool | str | None] = {one: CHOICES.get(form.get(one, "")) for one in CATEGORIES}
    said |= {one: form.get(one, "").strip() or None for one in OVERRIDING}
    try:
        await asked.means.operate(lambda ledger: wishing.wish(ledger, key, said, now=asked.now))
    except StoreError:
        raise
    except BridgeError as error:
        return ActionResult(person_path(key), "", said={"error": asked.once.keep(str(error))}, did=False)
    return ActionResult(person_path(key), "wished", {"key": key, "wants": said})


async def link(asked: ActionRequest) -> ActionResult:
    """Make a link, which the page shows this once."""
    key, customers = _key(asked), asked.state.customers
    brands = asked.state.dry_run.brands
    _, brand = await asked.means.operate(lambda ledger: spoken_to(ledger, brands, key))
    ears = wishing.listening(customers, key, brand)
    until = asked.now + wishing.link_length(None, customers)
    name = await asked.means.operate(lambda ledger: wishing.bot_name(ledger, ears)) or await wishing.asked_name(ears)
    given = await asked.means.operate(lambda ledger: wishing.give_link(ledger, ears, key, bot=name, until=until))
    fields = {"key": key, "until": f"{until:%Y-%m-%dT%H:%MZ}"}
    return ActionResult(person_path(key), "linked", fields, {"link": asked.once.keep(given)})


async def revoke(asked: ActionRequest) -> ActionResult:
    key = _key(asked)
    void = await asked.means.operate(lambda ledger: wishing.revoke_links(ledger, key))
    return ActionResult(person_path(key), "revoked", {"key": key, "revoked": void.revoked})


async def unlink(asked: ActionRequest) -> ActionResult:
    key = _key(asked)
    ended = await asked.means.operate(lambda ledger: wishing.end_links(ledger, key, now=asked.now))
    return ActionResult(person_path(key), "unlinked", {"key": key, "unlinked": ended.unlinked})


async def free(asked: ActionRequest) -> ActionResult:
    key = _key(asked)
    freed = await asked.means.operate(lambda ledger: wishing.free_proofs(ledger, key))
    return ActionResult(person_path(key), "freed", {"key": key, "freed": freed.freed})


async def forget(asked: ActionRequest) -> ActionResult:
    """Erase all that is kept about somebody whose name was typed."""
    key = _key(asked)
    if asked.form.get("name", "") != parts_of(key)[2]:
        error = asked.once.keep("forget: nothing was erased: that is another name")
        return ActionResult(person_path(key), "", said={"ask": "forget", "error": error}, did=False)
    done = await forgetting.forget_beside(asked.means, asked.state.customers, key, now=asked.now)
    if done.left is not None:
        return ActionResult("/people", "forgotten", dict(done.rows), {"error": asked.once.keep(done.left)})
    return ActionResult("/people", "forgotten" if done.done else "forgetting", dict(done.rows))


async def announce(asked: ActionRequest) -> ActionResult:
    """Announce what was counted, for whoever types the number."""
    try:
        wanted = wanted_in(asked.state, asked.form)
        drafted = await asked.means.errands.run(
            f"count {asked.now}",
            lambda: asked.means.errands.on_ledger(
                lambda ledger: drafts.draft(ledger, asked.state.dry_run, wanted, now=asked.now)
            ),
        )
        if drafted is None:
            raise BridgeError("announce: nothing is sent: it could not be counted in time")
        typed = asked.form.get("count", "").strip().replace(",", "")
        people = drafts.check_count(drafted, int(typed) if typed.isdecimal() and len(typed) < 10 else 0)
        again = asked.form.get("again") == "on"
        id_ = await announcements.announce(asked.means, drafted, by=asked.who, now=asked.now, again=again)
    except StoreError:
        raise
    except BridgeError as error:
        said = {"draft": asked.once.keep((_kept(asked.form), str(error)))}
        return ActionResult("/announcements/new", "", said=said, did=False)
    fields = {"announcement": id_, "sink": wanted.sink, "people": people, "category": wanted.category}
    return ActionResult(f"/announcements/{id_}", "announced", fields)


async def announce_stop(asked: ActionRequest) -> ActionResult:
    id_ = _id(asked)
    done = await asked.means.operate(lambda ledger: announcements.hold(ledger, id_, now=asked.now))
    return ActionResult(f"/announcements/{id_}", "held", {"announcement": id_, "deliveries": done.deliveries})


async def announce_resume(asked: ActionRequest) -> ActionResult:
    id_ = _id(asked)
    done = await announcements.resume(asked.means, asked.state.dry_run, id_, now=asked.now)
    return ActionResult(f"/announcements/{id_}", "released", {"announcement": id_, "deliveries": done.deliveries})


async def announce_retry(asked: ActionRequest) -> ActionResult:
    """Send it once more to those who may have got it, or to the one whose delivery the form names."""
    id_, one = _id(asked), asked.form.get("delivery", "")
    if one and not (one.isascii() and one.isdecimal() and len(one) < 19):
        raise RequestRefused(400, "the form is not whole", "Its delivery should be a number.")
    only = [int(one)] if one else []
    page = f"/announcements/{id_}"
    try:
        done = await asked.means.operate(lambda ledger: announcements.retry_uncertain(ledger, id_, only, now=asked.now))
    except (StoreError, UnknownName):
        raise
    except BridgeError:
        return ActionResult(page, "", did=False)  # somebody was quicker: the page shows how it stands
    return ActionResult(page, "retried", {"announcement": id_, "deliveries": done.deliveries})


def _kept(form: Mapping[str, str]) -> dict[str, str]:
    """What was filled in, to be filled in again."""
    return {name: form[name] for name in FIELDS if name in form}


def _key(asked: ActionRequest) -> str:
    try:
        return asked.state.customers.key_of(asked.path["who"], asked.path["realm"])
    except BridgeError as error:
        raise NotThere(str(error)) from None


def _id(asked: ActionRequest) -> int:
    text = asked.path["announcement"]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise RequestRefused(404, "there is nothing here")
    return int(text)


DOING: Mapping[str, Callable[[ActionRequest], Awaitable[ActionResult]]] = {
    one.__name__: one
    for one in (
        *(stop, start, wishes, link, revoke, unlink, free, forget),
        *(announce, announce_stop, announce_resume, announce_retry),
    )
}
