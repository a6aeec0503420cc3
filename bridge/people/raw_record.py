"""A record of the directory as it stands in a file, whatever the file's syntax: what is given, and where."""

from collections.abc import Callable, Mapping
from typing import Any

from bridge.errors import Position
from bridge.people.recipient import Audience
from bridge.value import Value

KINDS = {audience.kind: audience for audience in Audience}
#: What is said of a record beside what a DirectoryRecord has.
REALM = "realm"

#: Told where something is wrong, and what.
Say = Callable[[Position, str], None]


class Written(Value):
    """One record, not looked at yet.

    kind   one of KINDS
    given  what stands there, by keys that may be unknown
    at     where the value of a key stands; the name for `name`, and the beginning of the record for what it has not
    """

    kind: str
    name: str
    given: Mapping[str, Any]
    at: Callable[[str], Position]
