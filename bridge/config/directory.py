"""The directory's records, in the file and beside it: whether each can be what the sinks make of it."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from bridge.config.brands import Branded
from bridge.config.document import Document, KeyPath
from bridge.config.errors import any_of
from bridge.config.model import Config
from bridge.errors import Mistake
from bridge.messages.catalog import LOCALES, language_of
from bridge.people.address import Form
from bridge.people.directory import DirectorySettings
from bridge.people.directory_file import read_directory
from bridge.people.recipient import Audience, is_customer, name_in, recipient_key
from bridge.people.record import DirectoryRecord
from bridge.redaction import redacted
from bridge.sinks.base import AddressedConfig
from bridge.value import replace

SHOWN = 20  # mistakes of the directory's file
NAMED = 10  # users of one chat that a warning names
#: An address that is what a record has, or what comes instead where it has nothing.
_OF_RECORD = re.compile(r"\{\{-?\s*(?P<whose>\w+)\.(?P<key>\w+)\s*(?:\bor\b[^{}]*)?-?\}\}")

#: A key of a record → the sinks that read it as it stands, and the form that it has for each.
Forms = Mapping[str, Sequence[tuple[str, Form]]]


def check_records(document: Document, config: Config, directory: DirectorySettings) -> None:
    """Report what is wrong with single records, the first mistakes of those in the directory's file."""
    forms = {audience: _forms(config, audience) for audience in Audience}
    brands, chats = Branded(config.brands()), Chats()
    default = directory.default or DirectoryRecord()
    for key, what in (*_faults(default, _forms(config, None)), *brands.faults(default, None)):
        document.report(("directory", "default", key), what)
    for audience, named in directory.named():
        for name, record in named.items():
            for key, what in (*_faults(record, forms[audience]), *brands.faults(record, audience)):
                document.report(("directory", f"{audience.kind}s", name, key), what)
            path: KeyPath = ("directory", f"{audience.kind}s", name)
            place = Mistake(*document.key_position(path), "", path=path)
            chats.note(recipient_key(directory.realm or "", audience, name), record, place)
    known, mistakes = set(directory.owners), len(document.mistakes)
    if directory.file is not None:
        known |= _check_file(document, config, directory, directory.file, forms, brands, chats)
    chats.warn(document)
    if len(document.mistakes) - mistakes < SHOWN:  # else it was not read to its end, and what it lacks is not known
        _warn_of_owners(document, config, known)
        brands.check(document)


def _check_file(
    document: Document,
    config: Config,
    directory: DirectorySettings,
    file: Path,
    forms: Mapping[Audience, Forms],
    brands: Branded,
    chats: "Chats",
) -> set[str]:
    """Report its first mistakes; the owners that it names."""
    found: list[Mistake] = []
    owners, realms = set(), {"", *config.realms().values()}
    for row in read_directory(file, realm=directory.realm or "", tell=found.append):
        faults = [*_faults(row.record, forms[row.audience]), *brands.faults(row.record, row.audience)]
        if row.realm not in realms:
            faults.append(("realm", f'no source has the realm "{redacted(row.realm)}"'))
        for key, what in faults:
            line, column = row.at(key)
            found.append(Mistake(line, column, f'{row.audience.kind} "{row.name}": {key}: {what}', str(file)))
        chats.note(row.key, row.record, Mistake(*row.at(""), "", str(file)))
        if row.audience is Audience.OWNER:
            owners.add(row.name)
        if len(found) >= SHOWN:
            break
    document.mistakes.extend(found[:SHOWN])
    return owners


class Chats:
    """The chats that records of users name. Whoever has looked at all records is told which are those of several."""

    def __init__(self) -> None:
        self._users: defaultdict[int, dict[str, Mistake]] = defaultdict(dict)

    def note(self, key: str, record: DirectoryRecord, place: Mistake) -> None:
        """`place`: where the record stands."""
        if is_customer(key) and record.private_chat is not None:
            self._users[record.private_chat].setdefault(key, place)

    def warn(self, document: Document) -> None:
        """Warn of chats that are those of several, the first ones."""
        several = ((chat, users) for chat, users in self._users.items() if len(users) > 1)
        for chat, users in islice(several, SHOWN):
            names = ", ".join(map(name_in, islice(users, NAMED))) + (", …" if len(users) > NAMED else "")
            text = f"chat {chat} is given to {len(users):,} users ({names}): messages there begin with the name"
            document.warnings.append(replace(next(iter(users.values())), text=text))


def _faults(record: DirectoryRecord, forms: Forms) -> Iterator[tuple[str, str]]:
    """A language that there is not, and what is no address for the sink that would read it as one."""
    if record.locale is not None and language_of(record.locale) not in LOCALES:
        yield "locale", f"should be {any_of(LOCALES)}"
    for key, value in record.values().items():
        for sink, form in forms.get(key, ()):
            try:
                form.read(str(value))
            except ValueError as error:
                yield key, f'{error}, for sink "{sink}"'
                break


def _forms(config: Config, audience: Audience | None) -> Forms:
    """What is read of the records of an audience; None for the record that is asked in place of others."""
    found = defaultdict[str, list[tuple[str, Form]]](list)
    for name, sink in config.sinks.items():
        if not isinstance(sink, AddressedConfig) or (audience is None and sink.unknown != "default"):
            continue
        for setting, source in sink.address_expressions().items():
            read = _OF_RECORD.fullmatch(source)
            if read is not None and setting in sink.address_forms and audience in (None, read["whose"]):
                found[read["key"]].append((name, sink.address_forms[setting]))
    return found


def _warn_of_owners(document: Document, config: Config, known: Collection[str]) -> None:
    """Warn of an owner with a page whom the directory seems to know by another name."""
    for name in config.admin.owners if config.admin is not None else ():
        if name not in known and (meant := get_close_matches(name, known, n=1, cutoff=0.8)):
            document.warn(("admin", "owners", name), f'is no owner of the directory: did you mean "{meant[0]}"?')
