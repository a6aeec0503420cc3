"""What one request, and all of them together, may take of this machine."""

from typing import ClassVar

from pydantic import Field

from bridge.errors import HookRejected
from bridge.settings import Duration, Settings, Size


class Limits(Settings):
    """The door's limits. What proves itself may fill all of them; a stranger has a little share of its own."""

    example: ClassVar[str] = "body: 32MiB"

    body: Size = Field(32 * 2**20, gt=0, description="the biggest request; Marzban sends all it has in one")
    body_timeout: Duration = Field(30.0, gt=0, description="how long a request may take to arrive")
    memory: Size = Field(128 * 2**20, gt=0, description="what all requests together may hold; more are asked to wait")
    unproven: Size = Field(
        16 * 2**20, gt=0, description="the same for bodies that have yet to prove by a signature who sent them"
    )
    head_timeout: Duration = Field(10.0, gt=0, description="how long a new connection may take to send its headers")
    connections: int = Field(
        1000, gt=0, description="how many are open at once, fewer where the system allows fewer; idle ones give way"
    )
    elements: int = Field(20_000, gt=0, description="how many events one request may hold")
    values: int = Field(4_000_000, gt=0, description="how many JSON values one request may hold")
    fields: int = Field(1000, gt=0, description="how many fields a form may have")
    parts: int = Field(32, gt=0, description="how many parts a form with files may have")
    part_headers: Size = Field(8 * 2**10, gt=0, description="the headers of one part of such a form")
    preamble: Size = Field(2**10, gt=0, description="what may stand before the first part")


class TooSlow(HookRejected):
    """Its body did not arrive in time."""

    status = 408


class BrokenBody(HookRejected):
    """Its body is not encoded the way its headers say, or ends too soon."""


class Overloaded(HookRejected):
    """There is no budget for it now."""

    status = 503
