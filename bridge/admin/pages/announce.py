"""Writing an announcement: to whom, in which words; counted, and shown as the service draws it, before it is sent."""

from collections.abc import Mapping
from typing import Any

from bridge.admin.language import N_, Language
from bridge.admin.pages.previews import figures
from bridge.admin.people.announcement_templates import names, timed
from bridge.admin.people.announcing import EVERYBODY, OF_REALM
from bridge.admin.people.customers import Customers
from bridge.admin.people.drafts import (
    AnnouncementDraft,
    AnnouncementRequest,
    check_count,
    draft,
    template_of,
    wanted_of,
)
from bridge.admin.state import ConfigState
from bridge.admin.trials.dry_run import DryRun
from bridge.admin.visit import PageVariables, Visit
from bridge.errors import BridgeError, StoreError
from bridge.messages.catalog import LANGUAGES, LOCALES

#: The fields that hold words, one for each language.
WORDS = tuple(f"words_{locale}" for locale in LOCALES)
#: All that is filled in.
FIELDS = ("whom", "name", "sink", "category", "critical", "template", "start", "end", "text", *WORDS)
_CATEGORIES = {
    "news": N_("news: who has switched them off is left out"),
    "status": N_("status: as that a plan is over"),
    "reminders": N_("reminders"),
}


def view(visit: Visit) -> PageVariables:
    form, fault = _form(visit)
    drafted: AnnouncementDraft | None = None
    if visit.form:
        try:
            drafted = draft(visit.ledger, visit.state.dry_run, wanted_in(visit.state, form), now=visit.now)
            check_count(drafted)
        except StoreError:
            raise
        except BridgeError as error:
            drafted, fault = None, str(error)
    return {**_fields(visit, form), "fault": fault, **_shown(visit, drafted)}


def wanted_in(state: ConfigState, form: Mapping[str, str]) -> AnnouncementRequest:
    """What a form says is to be announced; raise BridgeError where it says too little."""
    whom, name = form.get("whom", EVERYBODY), form.get("name", "").strip()
    return wanted_of(
        state.customers,
        [f"{whom}{name}" if whom.endswith(":") else whom],
        sink=form.get("sink", ""),
        text=_template(state.dry_run, form),
        category=form.get("category", "news"),
        critical=form.get("critical") == "on",
        realm=None,
    )


def _template(ready: DryRun, form: Mapping[str, str]) -> str:
    """What they are told: by a template's name, a template, or words in each language."""
    named, text, start, end = (form.get(field, "").strip() for field in ("template", "text", "start", "end"))
    words = {locale: form.get(field, "") for locale, field in zip(LOCALES, WORDS, strict=True)}
    if named and (text or any(map(str.strip, words.values()))):
        raise BridgeError("announce: say a template by its name, or write what is said: not both")
    if named:
        return timed(ready.folders, ready.zone, named, start=start, end=end)
    return text.replace("\r\n", "\n") or template_of(words)


def _form(visit: Visit) -> tuple[Mapping[str, str], str | None]:
    """What is filled in, and why it could not be taken a moment ago."""
    kept: Any = visit.once.take(visit.query.get("draft", ""))
    return (kept[0], kept[1]) if isinstance(kept, tuple) else (visit.form, None)


def _fields(visit: Visit, form: Mapping[str, str]) -> PageVariables:
    customers, words, own = visit.state.customers, visit.language, visit.state.locale
    return {
        "form": form,
        "audiences": _audiences(customers, words),
        "sinks": [one for one in customers.sinks if visit.state.dry_run.brands.alone_at(one) is None],
        "templates": names(visit.state.dry_run.folders),
        "fields": FIELDS,
        "categories": [(one, words.say(_CATEGORIES[one])) for one in ("news", "status", "reminders")],
        "languages_of": [
            (f"words_{locale}", locale, LANGUAGES[locale])
            for locale in sorted(LOCALES, key=lambda one: (one != own, LOCALES.index(one)))
        ],
    }


def _audiences(customers: Customers, words: Language) -> list[tuple[str, str]]:
    realms = sorted(set(customers.realms.values()))
    found = [(EVERYBODY, words.say("Everybody"))]
    if len(realms) > 1:
        found += [(f"{OF_REALM}{one}", words.say("Everybody of %(realm)s", realm=one)) for one in realms]
    for one in realms:
        beside = f" ({one})" if len(realms) > 1 else ""
        found.append((f"{one}/owner:", words.say("The customers of a reseller") + beside))
        found.append((f"{one}/user:", words.say("One customer") + beside))
    return found


def _shown(visit: Visit, drafted: AnnouncementDraft | None) -> PageVariables:
    if drafted is None:
        return {"draft": None, "readings": ()}
    shape = drafted.shape(visit.state.dry_run)
    looks = figures([one.preview for one in shape.readings], visit.state, visit.language)
    return {
        "draft": shape,
        "readings": [
            {"one": one, "look": look, "language": LANGUAGES.get(one.locale, one.locale)}
            for one, look in zip(shape.readings, looks, strict=True)
        ],
    }
