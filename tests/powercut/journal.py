"""The journal that the shim keeps: what was done to the files of a folder, in one order over threads and processes."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from pathlib import Path

#: As `struct record` in powercut.c.
_HEAD = struct.Struct("<IIQQQQQIIQ")
_MAGIC = 0x50574354


class Op(IntEnum):
    """As the enum in powercut.c. `UNSEEN`: something was done that the shim cannot follow."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    SYNCED = 5
    UNLINK = 6
    RENAME = 7
    MKDIR = 8
    RMDIR = 9
    UNSEEN = 10
    FAILED = 11


@dataclass(frozen=True, slots=True)
class Record:
    """One operation. `ns`: when, by the monotonic clock; `ref`: of SYNCED and FAILED, the SYNC that ended so.

    `path`: what is made or goes away, what is renamed to `target`, the folder that is synced; files are known by inode.
    """

    op: Op
    seq: int
    ns: int
    inode: int
    offset: int
    path: str
    target: str
    data: bytes
    ref: int

    @property
    def end(self) -> int:
        """The offset behind what was written."""
        return self.offset + len(self.data)


def read(journal: Path) -> list[Record]:
    """All records; one that was being written when its process died is left out."""
    raw, at, records = journal.read_bytes(), 0, list[Record]()
    while at + _HEAD.size <= len(raw):
        magic, op, seq, ns, inode, offset, length, path_length, target_length, ref = _HEAD.unpack_from(raw, at)
        assert magic == _MAGIC, f"{journal}: broken at byte {at}"
        path = at + _HEAD.size
        target, data = path + path_length, path + path_length + target_length
        at = data + length
        if at > len(raw):
            break
        names = raw[path:target].decode(), raw[target:data].decode()
        records.append(Record(Op(op), seq, ns, inode, offset, *names, raw[data:at], ref))
    assert all(one.seq < next_.seq for one, next_ in pairwise(records)), "not in one order"
    return records
