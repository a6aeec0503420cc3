"""The directory: where owners, users and nodes are reached, as the operator writes it: in the file, and beside it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bridge.codec import dump
from bridge.errors import BridgeError, Mistake
from bridge.people.directory_file import read_directory
from bridge.people.recipient import Audience, is_name, is_owner, recipient_key
from bridge.people.record import DirectoryRecord
from bridge.redaction import redacted, redacted_path
from bridge.settings import Settings
from bridge.value import Value, field

#: The key of the record that is asked where there is no address.
DEFAULT = "default"
KEPT = b"2"  # how the store keeps records: another one has them written anew
MOST = 1000  # records that stand in the file itself

#: A recipient's key and what is known of it.
Entry = tuple[str, Mapping[str, Any]]


class DirectorySettings(Settings):
    """`directory:` where owners, users and nodes are reached."""

    example: ClassVar[str] = "realm: marzban"

    file: Path | None = Field(None, description="a CSV or YAML file beside this one, read again when it changes")
    realm: str | None = Field(
        None, description="the sources whose owners, users and nodes these are; needed where there are several"
    )
    default: DirectoryRecord | None = Field(
        None, description="who is told where there is no address and unknown is default"
    )
    owners: dict[str, DirectoryRecord] = Field({}, max_length=MOST, description="by their names in the panel")
    users: dict[str, DirectoryRecord] = Field({}, max_length=MOST, description="by their names in the panel")
    nodes: dict[str, DirectoryRecord] = Field({}, max_length=MOST, description="by their names in the panel")

    @model_validator(mode="after")
    def _valid_names(self) -> "DirectorySettings":
        if wrong := next((name for name in (*self.owners, *self.users, *self.nodes) if not is_name(name)), None):
            raise ValueError(f'"{redacted(wrong[:40])}" is no name: it has signs that are not seen, or too many')
        return self

    @field_validator("file")
    @classmethod
    def _existing_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None:
            return None
        file: Path = (info.context or {}).get("folder", Path()) / value
        if not _is_file(file):
            raise ValueError(f'should be a file: there is no "{redacted_path(str(value)[:200])}" beside this one')
        return file

    def named(self) -> Sequence[tuple[Audience, Mapping[str, DirectoryRecord]]]:
        """The records of each kind, by their names."""
        return [(Audience.OWNER, self.owners), (Audience.PERSON, self.users), (Audience.NODE, self.nodes)]

    def records(self, realm: str) -> Iterator[Entry]:
        """What is said here and in the file; of one that is in both what is said here.

        `realm` is whose they are where neither says so. Raise BridgeError where the file has become wrong.
        """
        if self.default is not None:
            yield DEFAULT, self.default.values()
        said = set()
        for audience, named in self.named():
            for name, record in named.items():
                said.add(key := recipient_key(self.realm or realm, audience, name))
                yield key, record.values()
        if self.file is not None:
            for row in read_directory(self.file, realm=self.realm or realm, tell=_refuse):
                if row.key not in said:
                    yield row.key, row.record.values()

    def places_of(self, key: str, realm: str) -> Iterator[str]:
        """Where it says something of a recipient: here, and in which line of the file."""
        for audience, named in self.named():
            if any(recipient_key(self.realm or realm, audience, name) == key for name in named):
                yield f"directory.{audience.kind}s"
        if self.file is not None:
            rows = read_directory(self.file, realm=self.realm or realm, tell=_refuse)
            yield from (f"{self.file}:{row.line}" for row in rows if row.key == key)


def _refuse(mistake: Mistake) -> None:
    raise BridgeError(f"{mistake.where('')}: {mistake.text}")


class Overview(Value):
    """What is held in memory of a directory.

    generation  tells its records from all others; the empty text where there are none
    brands      owners' keys → the brands that their records name
    """

    generation: str = ""
    brands: Mapping[str, str] = field(default_factory=dict)


def overview_of(entries: Iterable[Entry]) -> Overview:
    """What is to be held of these records, which are read once."""
    fingerprint, brands = DirectoryHash(), dict[str, str]()
    for key, record in fingerprint.of(entries):
        if "brand" in record and is_owner(key):
            brands[key] = record["brand"]
    return Overview(fingerprint.text, brands)


class DirectoryHash:
    """What tells records from all others, once all of them have passed."""

    def __init__(self) -> None:
        self.text = ""

    def of(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The same, one by one."""
        digest, empty = sha256(KEPT), True
        for entry in entries:
            digest.update(dump(entry) + b"\n")
            empty = False
            yield entry
        self.text = "" if empty else digest.hexdigest()[:16]


def unchanged(entries: Iterable[Entry], generation: str) -> Iterator[Entry]:
    """The same; raise BridgeError at their end where they are not those of the generation any more."""
    fingerprint = DirectoryHash()
    yield from fingerprint.of(entries)
    if fingerprint.text != generation:
        raise BridgeError("directory: its file has changed while it was read: it is read again")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that nobody may look into
        return False
