"""The directory: whom it names and no event ever did, as an owner whom the panel calls otherwise."""

from collections.abc import Iterator

from bridge.doctor.row import look, ok, unknown
from bridge.errors import StoreError, suggestion
from bridge.people.recipient import Audience, name_in
from bridge.sinks.reachability import Finding
from bridge.store.ledger import Ledger
from bridge.store.queries.mentions import has_events, heard_of, keys_in_directory, owners_of_late

MOST = 1000  # records of a kind that are looked for
SHOWN = 5  # names


def directory_findings(ledger: Ledger | None) -> Iterator[Finding]:
    """Of its owners and of its users; nothing where it names none, and where there is no store or nothing came yet."""
    if ledger is None:
        return
    try:
        if not ledger.read(has_events):
            return
        owners, users = (ledger.read(keys_in_directory, one, limit=MOST) for one in (Audience.OWNER, Audience.PERSON))
        if owners:
            yield _owners(ledger, owners)
        if users:
            yield _users(ledger, users)
    except StoreError as error:
        yield unknown(str(error).removeprefix("store: "))


def _owners(ledger: Ledger, keys: list[str]) -> Finding:
    heard = ledger.read(heard_of, keys)
    missing = [one for one in keys if one not in heard]
    if not missing:
        return ok(f"events have named each of its {_owners_text(len(keys))}")
    names = ", ".join(map(name_in, missing[:SHOWN])) + (f" and {len(missing) - SHOWN} more" if missing[SHOWN:] else "")
    known = ledger.read(owners_of_late, missing[0].partition("/")[0])
    why = (
        f"{name_in(missing[0])}: {suggestion(name_in(missing[0]), known)}" if known else "Events name no owner at all."
    )
    text = f"no event that is kept names {len(missing)} of its {_owners_text(len(keys))}: {names}"
    return look(text, f"Is that what the panel calls them, letter by letter? {why}")


def _owners_text(number: int) -> str:
    return f"{number:,} owner{'' if number == 1 else 's'}"


def _users(ledger: Ledger, keys: list[str]) -> Finding:
    """Of many nothing may have happened yet; of none at all, they are other ones."""
    heard = ledger.read(heard_of, keys)
    of = f"its {len(keys):,} user{'' if len(keys) == 1 else 's'}" if len(keys) < MOST else f"its first {MOST:,} users"
    if heard:
        return ok(f"events were about {len(heard):,} of {of}")
    realms = ", ".join(sorted({one.partition("/")[0] for one in keys}))
    return look(f"no event that is kept is about any of {of}", f"Are these the users of {realms}, by the same names?")
