"""The directory as a file beside the operator's, CSV or YAML: read piece by piece, so that no record stays in memory;
every mistake with its place.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError

from bridge.errors import Mistake, Position
from bridge.people.raw_record import KINDS, REALM, Say, Written
from bridge.people.recipient import Audience, is_name, recipient_key
from bridge.people.record import DirectoryRecord
from bridge.people.table_file import rows_of_table
from bridge.people.yaml_file import records_of_yaml
from bridge.value import Value

MOST = 200_000  # records
LARGEST = 64 * 2**20  # bytes
YAML = (".yaml", ".yml", ".json")  # whatever else a file is called, it is a table

#: Told what is wrong, and where.
OnMistake = Callable[[Mistake], None]


class DirectoryRow(Value):
    """One record: whose users they are among, who it is, what is known of them, and where each of its values stands."""

    HIDDEN: ClassVar = frozenset({"at"})

    realm: str
    audience: Audience
    name: str
    record: DirectoryRecord
    at: Callable[[str], Position]

    @property
    def key(self) -> str:
        """The recipient's."""
        return recipient_key(self.realm, self.audience, self.name)

    @property
    def line(self) -> int:
        """The one in which it begins."""
        return self.at("")[0]


def read_directory(path: Path, *, realm: str, tell: OnMistake) -> Iterator[DirectoryRow]:
    """The records of a file, those of them that are right; `realm` is whose they are where one does not say so."""

    def say(where: Position, what: str) -> None:
        tell(Mistake(*where, what, str(path)))

    is_yaml = path.suffix.lower() in YAML
    try:
        if path.stat().st_size > LARGEST:
            say((1, 1), f"has more than {LARGEST // 2**20} MiB")
            return
        with path.open(encoding="utf-8-sig", newline=None if is_yaml else "") as opened:
            yield from _Rows(realm, say).of(records_of_yaml(opened, say) if is_yaml else rows_of_table(opened, say))
    except OSError as error:
        say((1, 1), f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        say((1, 1), f"is not UTF-8: save it as {'UTF-8' if is_yaml else 'CSV UTF-8'}")


class _Rows:
    """What is written becomes rows, where it is right."""

    def __init__(self, realm: str, say: Say) -> None:
        self._realm = realm
        self._say = say
        self._first: dict[str, int] = {}  # key → the line in which it stands first

    def of(self, found: Iterator[Written]) -> Iterator[DirectoryRow]:
        for one in found:
            if (row := self._row(one)) is not None:
                yield row

    def _row(self, one: Written) -> DirectoryRow | None:
        if not is_name(one.name):
            self._say(one.at("name"), "has no name, or one with signs that are not seen, or with too many")
            return None
        given, what = dict(one.given), f'{one.kind} "{one.name}"'
        realm = str(given.pop(REALM, "") or self._realm)
        key = recipient_key(realm, KINDS[one.kind], one.name)
        if key in self._first:
            self._say(one.at(""), f"{what} is there twice: first in line {self._first[key]}")
            return None
        if len(self._first) == MOST:
            self._say(one.at(""), f"has more than {MOST:,} records")
        self._first[key] = one.at("")[0]
        try:
            return DirectoryRow(realm, KINDS[one.kind], one.name, DirectoryRecord.model_validate(given), one.at)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                name, text = str(fault["loc"][0]) if fault["loc"] else "", fault["msg"].removeprefix("Value error, ")
                self._say(one.at(name), f"{what}: {name}: {text}" if name else f"{what}: {text}")
            return None
