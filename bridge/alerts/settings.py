"""The `alerts` key of the file."""

from typing import ClassVar

from pydantic import Field

from bridge.settings import Duration, NameList, Settings


class AlertSettings(Settings):
    """Who is told what goes wrong with the bridge itself."""

    example: ClassVar[str] = "to: ops"

    to: NameList = Field((), min_length=1, description="the sinks to tell: the first whose lane is open")
    window: Duration = Field(
        30.0, le=86400, description="how long alerts are collected into one message; 0 for each by itself"
    )
    away_after: Duration = Field(300.0, description="how long a service does not answer before that is told")
