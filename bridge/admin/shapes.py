"""The shapes of what an operator is shown: the same for eyes, for `--json` and for programs."""

from pydantic import BaseModel, ConfigDict

from bridge.event import JsonObject


class Shape(BaseModel):
    """A frozen value, read from the record that has these attributes. Its JSON has times as ISO 8601 with Z."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    def to_json(self) -> JsonObject:
        return self.model_dump(mode="json")


class Replay(Shape):
    """A delivery that is sent again: `replay_of` was, `id` is the new one, which a dry run does not make."""

    replay_of: int
    id: int | None
    sink: str
    type: str
    subject: str | None


class Replayed(Shape):
    """What was sent again, or would be.

    already: how many more are meant that a person has dealt with
    """

    deliveries: tuple[Replay, ...]
    already: int
    dry_run: bool


class ReplayedEvents(Shape):
    """Which events were sent at last that had gone to no sink, or would be.

    events    how many went nowhere
    matched   how many of them a row takes now
    sinks     how many each sink gets
    replayed  the new deliveries
    """

    events: int
    matched: int
    sinks: dict[str, int]
    replayed: tuple[int, ...]
    dry_run: bool


class Dismissed(Shape):
    """Which dead letters were put away, would be, or with `undone` are there again."""

    deliveries: tuple[int, ...]
    undone: bool
    dry_run: bool
