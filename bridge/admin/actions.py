"""What can be done on a page: a form's POST, for whoever may act, and a line of the log for each.

To add one: a function that does it, and its row in ACTIONS. It answers with where to go on, and what to say there.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bridge.admin.language import N_
from bridge.admin.state import ConfigState
from bridge.admin.visit import NotThere

#: What is said on the page that follows, by the word that its address carries.
NOTICES: Mapping[str, str] = {
    "resumed": N_("The lane flows again."),
    "flowed": N_("Nothing held this lane."),
    "reload": N_("The file is being read again."),
}


@dataclass(frozen=True, slots=True)
class Means:
    """What the running bridge lends for it.

    reload   has the file read again, soon
    resume   lets the lane of a sink flow again; whether anything held it
    ready    raises StoreError unless the store takes events
    carries  whether this process carries the lane of a sink
    """

    reload: Callable[[], None]
    resume: Callable[[str], Awaitable[bool]]
    ready: Callable[[], Awaitable[None]]
    carries: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """One press of a button: `path` is what the `{…}` of the action's path are, `form` what was filled in."""

    means: Means
    state: ConfigState
    path: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: the page to go on with, the notice there, and what the log says beside."""

    page: str
    notice: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """`name` is what the log calls it."""

    name: str
    path: str
    do: Callable[[Asked], Awaitable[Done]]


async def reload(asked: Asked) -> Done:
    """Have the file read again, though nothing of it seems to have changed."""
    asked.means.reload()
    return Done("/settings", "reload")


async def resume(asked: Asked) -> Done:
    """Let the lane of a sink flow again."""
    sink = asked.path["sink"]
    if sink not in asked.state.sinks:
        raise NotThere(sink)
    held = await asked.means.resume(sink)
    return Done(f"/sinks/{sink}", "resumed" if held else "flowed", {"sink": sink, "held": held})


ACTIONS = (
    Action("reload", "/settings/reload", reload),
    Action("resume", "/sinks/{sink}/resume", resume),
)
