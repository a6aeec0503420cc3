"""What a disk may show after the power went: the journal of the shim, read up to the cut, and a seed.

Data. Of each file all is there that was written before an fsync began that returned before the cut. Of the rest every
sector shows any of the versions that it had since then, each sector by itself, so that writes are lost, torn, and seem
reordered. The size is any that the file had since then. Room that a file grew by and that was not written may hold
garbage. After an fsync that failed, what it should have written counts as clean, as on Linux: no later fsync writes it.

Names, in their folders:

    posix      a create, unlink, rename or mkdir is there once its folder was synced; of the rest a prefix in each
               folder. POSIX promises no more.
    journaled  the file system has one journal, as ext4 and XFS: any fsync that returns keeps all names before it.

Never shown: a sector half written, bytes that nobody wrote, a disk that lies about its cache (test_instrument.py has
one), a kernel that writes back by itself after half a minute: what is not synced may be lost for ever.
"""

import os
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Literal, get_args

from tests.powercut.journal import Op, Record
from tests.powercut.sectors import Mood, torn, write

PAGE = 4096  # of the page cache
SHARED = 32768  # bytes of SQLite's -shm
Names = Literal["posix", "journaled"]
Shared = Literal["gone", "garbage", "zeros"]


@dataclass(frozen=True, slots=True)
class Outage:
    """One way in which the power may go. `shared`: what is left of SQLite's shared memory."""

    seed: int
    names: Names
    mood: Mood
    sector: int
    garbage: bool
    shared: Shared

    @staticmethod
    def of(seed: int, names: Names | None = None) -> "Outage":
        chance = random.Random(f"outage {seed}")
        drawn: Names = chance.choice(get_args(Names))
        mood: Mood = chance.choice(get_args(Mood))
        shared: Shared = chance.choice(get_args(Shared))
        return Outage(seed, names or drawn, mood, chance.choice((512, 4096)), chance.random() < 0.25, shared)


@dataclass(slots=True, eq=False)
class File:
    """A file, as it was when the journal began, and all that was done to it. Of each fsync: when it began and ended."""

    base: bytes = b""
    writes: list[Record] = field(default_factory=list)
    syncs: list[tuple[int, int]] = field(default_factory=list)
    failed: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """What the journal says up to the cut. `folder_syncs`: the last fsync of each; `any_sync`: of whatever."""

    files: dict[int, File]
    names: list[tuple[Record, File]] = field(default_factory=list)
    folder_syncs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    any_sync: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """What the disk shows. `loose` is how many writes and names were at stake."""

    files: dict[str, bytes]
    folders: set[str]
    loose: int


class Disk:
    """A folder as it was when the journal began."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._files: dict[str, tuple[int, bytes]] = {}
        self._folders: list[str] = []
        for folder, _, names in os.walk(self.root):
            self._folders.append(folder)
            for path in (Path(folder, name) for name in names if not name.endswith("-shm")):
                self._files[str(path)] = path.stat().st_ino, path.read_bytes()

    def image(self, records: Sequence[Record], cut: int, outage: Outage) -> Image:
        """What it may show when the power went after record number `cut`."""
        chance = random.Random(f"{outage}")
        table = {path: File(base) for path, (_, base) in self._files.items()}
        history = History({inode: table[path] for path, (inode, _) in self._files.items()})
        for record in takewhile(lambda one: one.seq <= cut, records):
            _remember(history, record)
        there, loose = _names_there(history, outage, chance)
        folders = set(self._folders)
        for record, file in there:
            _rename(table, folders, record, file)
        folders = {one for one in folders if all(above in folders for above in _above(one, str(self.root)))}
        contents = {}
        for path, file in sorted(table.items()):
            if str(Path(path).parent) in folders:
                contents[path] = _content(file, outage, random.Random(f"{outage} {path}"))
                loose += len(_loose(file))
        return Image(contents, folders, loose)

    def put(self, image: Image, outage: Outage, folder: Path) -> None:
        """Make a folder so: the disk's own, or another one to look at."""
        if folder.exists():
            shutil.rmtree(folder)
        for path in sorted(image.folders):
            (folder / Path(path).relative_to(self.root)).mkdir()
        for path, content in image.files.items():
            (folder / Path(path).relative_to(self.root)).write_bytes(content)
            if path.endswith("-wal") and outage.shared != "gone":
                shared = folder / Path(f"{path.removesuffix('-wal')}-shm").relative_to(self.root)
                shared.write_bytes(
                    random.Random(outage.seed).randbytes(SHARED) if outage.shared == "garbage" else bytes(SHARED)
                )


def _remember(history: History, record: Record) -> None:
    match record.op:
        case Op.CREATE:
            history.files[record.inode] = File()
            history.names.append((record, history.files[record.inode]))
        case Op.UNLINK | Op.RENAME | Op.MKDIR | Op.RMDIR:
            history.names.append((record, File()))
        case Op.WRITE | Op.TRUNCATE:
            history.files[record.inode].writes.append(record)
        case Op.SYNCED:
            history.any_sync = max(history.any_sync, record.ref)
            if record.path:
                history.folder_syncs[record.path] = max(history.folder_syncs[record.path], record.ref)
            else:
                history.files[record.inode].syncs.append((record.ref, record.seq))
        case Op.FAILED:
            history.files[record.inode].failed.append((record.ref, record.seq))
        case Op.UNSEEN:
            raise AssertionError(f"something was done that the shim cannot follow: {record.path}")


def _names_there(history: History, outage: Outage, chance: random.Random) -> tuple[list[tuple[Record, File]], int]:
    """The changes of names that are on the disk, in order; and how many were at stake."""

    def journal_of(record: Record) -> str:
        return "" if outage.names == "journaled" else str(Path(record.path).parent)

    def safe(record: Record) -> bool:
        synced = history.any_sync if outage.names == "journaled" else history.folder_syncs[journal_of(record)]
        return record.seq < synced

    at_stake: dict[str, list[int]] = defaultdict(list)
    for record, _ in history.names:
        if not safe(record):
            at_stake[journal_of(record)].append(record.seq)
    there = {record.seq for record, _ in history.names if safe(record)}
    for _, numbers in sorted(at_stake.items()):
        kept = {"none": 0, "all": len(numbers)}.get(outage.mood, chance.randint(0, len(numbers)))
        there.update(numbers[:kept])
    return [pair for pair in history.names if pair[0].seq in there], sum(map(len, at_stake.values()))


def _rename(table: dict[str, File], folders: set[str], record: Record, file: File) -> None:
    path, target = record.path, record.target
    match record.op:
        case Op.CREATE:
            table[path] = file
        case Op.UNLINK:
            table.pop(path, None)
        case Op.MKDIR:
            folders.add(path)
        case Op.RMDIR:
            folders.discard(path)
        case Op.RENAME if path in table:
            table[target] = table.pop(path)
        case Op.RENAME if path in folders:
            raise AssertionError(f"a folder was renamed, and the model has no word for that: {path}")


def _above(folder: str, root: str) -> Iterator[str]:
    """The folders that a folder lies in, up to the root."""
    while folder != root:
        folder = str(Path(folder).parent)
        yield folder


def _safe_before(file: File) -> int:
    """What was written before this number is on the disk."""
    return max((begun for begun, _ in file.syncs), default=0)


def _loose(file: File) -> list[Record]:
    return [one for one in file.writes if one.seq >= _safe_before(file)]


def _content(file: File, outage: Outage, chance: random.Random) -> bytes:
    content, safe = bytearray(file.base), _safe_before(file)
    forgotten = _forgotten(file, chance)
    for one in file.writes:
        if one.seq < safe:
            write(content, one, but=forgotten.get(one.seq, frozenset()))
    return bytes(torn(content, _loose(file), outage.mood, outage.sector, chance, garbage=outage.garbage))


def _forgotten(file: File, chance: random.Random) -> dict[int, frozenset[int]]:
    """Write → the pages of it that an fsync failed to write, and nobody wrote to again: they count as clean."""
    forgotten: dict[int, frozenset[int]] = {}
    if not file.failed:
        return forgotten
    last = {page: one.seq for one in file.writes if one.op is Op.WRITE for page in _pages(one)}
    for one in file.writes:
        for begun, ended in file.failed:
            kept_before = any(one.seq < start and end < ended for start, end in file.syncs)
            if one.op is Op.WRITE and one.seq < begun and not kept_before:
                lost = (page for page in _pages(one) if last[page] < begun and chance.random() < 0.8)
                forgotten[one.seq] = forgotten.get(one.seq, frozenset()) | frozenset(lost)
    return forgotten


def _pages(one: Record) -> range:
    return range(one.offset // PAGE, (one.end - 1) // PAGE + 1)
