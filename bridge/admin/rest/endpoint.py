"""One operation for programs, and one call of it."""

import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from bridge.admin.access.auth import Role
from bridge.admin.actions import BridgeControls
from bridge.admin.reader_pool import ReadStore
from bridge.admin.rest.request_models import Nothing, QueryParameters
from bridge.admin.shapes import Shape
from bridge.admin.state import ConfigState
from bridge.admin.trials.shapes import SentTest
from bridge.value import Value

T = TypeVar("T")
#: What the `{…}` of a path may be; a sink is called as the file allows it.
PLACES: Mapping[str, str] = {
    "event": r"[0-9a-f-]{8,36}",
    "delivery": r"[1-9][0-9]{0,17}",
    "sink": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "group": r"[0-9a-f]{12}",
    "mute": r"[1-9][0-9]{0,17}",
    "table": r"[0-9a-f]{16}",
    "announcement": r"[1-9][0-9]{0,17}",
    "realm": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "who": r"(?:user|owner|node):[^/]{1,600}",
}
_PLACE = re.compile(r"\{(\w+)\}")


class Call(Value, kw_only=True):
    """One request.

    read   runs a look into the store, on a thread of its own
    path   what the `{…}` of the path are
    query  what stands behind the ? of the address, as the endpoint wants it
    body   what was posted, as the endpoint wants it
    tests  the last test of each sink
    role   what they may do
    who    who asks, as others are told
    acted  keeps an action, by its name and what is to be known of it
    """

    read: ReadStore
    means: BridgeControls
    state: ConfigState
    now: datetime
    path: Mapping[str, str]
    query: Any
    body: Any
    tests: dict[str, SentTest]
    role: Role
    who: str
    acted: Callable[[str, Mapping[str, object]], None]


class PlainText(Value):
    """What is no JSON: its content type, how many bytes of it are taken at the most, and one that can be."""

    content_type: str
    most: int = 0
    example: str = ""


class Endpoint(Value, kw_only=True):
    """
    name     what the document calls it: operationId
    summary  what it does, in one line
    answer   the shape of what it answers, or what kind of text that is
    body     the models of what may be posted, none where nothing is
    takes    what is posted in the place of JSON
    refuses  statuses that it may answer with beside those that every one may
    """

    name: str
    method: str
    path: str
    summary: str
    answer: type[Shape] | PlainText
    do: Callable[[Call], Coroutine[Any, Any, Shape | bytes]]
    role: Role = Role.LOOK
    query: type[QueryParameters] = Nothing
    body: tuple[type[BaseModel], ...] = ()
    refuses: tuple[int, ...] = ()
    status: int = 200
    takes: PlainText | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """What its path looks like, `%2F` and `%25` as they are; an id that cannot be one is not there."""
        return re.compile(_PLACE.sub(lambda one: f"(?P<{one[1]}>{PLACES[one[1]]})", self.path), re.ASCII)

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(_PLACE.findall(self.path))

    @property
    def needs_body(self) -> bool:
        """Whether there is no asking without one: none of its models can be left empty."""
        fields = [one for model in self.body for one in model.model_fields.values()]
        return any(one.is_required() for one in fields)
