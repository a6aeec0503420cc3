"""Somebody: where they are reached, what they want, what they were told and what not; and what can be done for them."""

from bridge.admin.language import Language
from bridge.admin.pages.states import state_words
from bridge.admin.people import people
from bridge.admin.people.customers import person_path
from bridge.admin.people.shapes import PersonNow, StepTold
from bridge.admin.visit import NotThere, PageVariables, Visit
from bridge.errors import BridgeError
from bridge.messages.catalog import LANGUAGES
from bridge.people.recipient import is_customer
from bridge.people.wants import CATEGORIES


def view(visit: Visit) -> PageVariables:
    customers, words = visit.state.customers, visit.language
    try:
        key = customers.key_of(visit.path["who"], visit.path["realm"])
    except BridgeError as error:
        raise NotThere(str(error)) from None
    one = people.person(visit.ledger, customers, visit.state.dry_run, key, now=visit.now, masked=not visit.may_act)
    said = one.wants.get("categories", {})
    return {
        "one": one,
        "path": person_path(key),
        "sentence": _sentence(one, words),
        "mark": "held" if one.stopped_at else "ok" if any(reach.how for reach in one.reach) else "wait",
        "categories": [
            {
                "name": name,
                "title": _category(words, name),
                "said": said.get(name),
                "default": customers.rules.is_on(name, {}),
            }
            for name in CATEGORIES
        ],
        "names_of": LANGUAGES,
        "steps": [{"words": step_words(words, step), "at": step.at} for step in one.steps],
        "told": [{"one": each, "told": state_words(words, each.state)} for each in one.told],
        "is_customer": is_customer(key),
        "can_link": customers.ears is not None and is_customer(key),
        "link": visit.once.take(visit.query.get("link", "")),
        "ends_links": visit.query.get("ask") == "unlink",
        "error": visit.once.take(visit.query.get("error", "")),
        "asks": visit.query.get("ask") == "forget",
    }


def _sentence(one: PersonNow, words: Language) -> str:
    if one.stopped_at:
        return words.say("Wants to be told nothing.")
    if one.is_nobody:
        return words.say("Nothing is known of anybody of that name.")
    reached = [reach.sink for reach in one.reach if reach.how]
    if reached:
        return words.say("Is reached by %(sinks)s.", sinks=", ".join(reached))
    return words.say("Is not reached by any sink of customers.")


def _category(words: Language, name: str) -> str:
    match name:
        case "reminders":
            return words.say("Reminders: time or traffic runs out")
        case "status":
            return words.say("Status: it is over, renewed, blocked")
        case _:
            return words.say("News: what you announce")


def step_words(words: Language, step: StepTold) -> str:
    """A threshold, as people read it."""
    if step.family == "used":
        return words.say("%(percent)s percent used", percent=step.rank)
    if step.rank < 0:
        return words.plural("one day left", "%(n)s days left", -step.rank)
    return (
        words.say("it was over")
        if step.rank == 0
        else words.plural("over for one day", "over for %(n)s days", step.rank)
    )
