"""What the admin side knows of the file: handed to it by whoever loads it, a new one with every reload."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.admin.people.customers import Customers
from bridge.admin.settings import AdminSettings
from bridge.admin.trials.dry_run import DryRun
from bridge.errors import Mistake
from bridge.messages.renderer import Renderer
from bridge.routing import Route, Router
from bridge.settings import SilentAfter
from bridge.sinks import SinkSettings
from bridge.value import Value


class SourceState(Value):
    """A source as its panel sees it: where it posts to, and the lines to paste there. Secrets are named, not shown.

    silent_after  as the file has it
    is_asked      whether it is asked for what it has: that there is nothing new is no silence
    """

    name: str
    panel: str
    url: str
    paste: tuple[str, ...]
    silent_after: SilentAfter | None = None
    is_asked: bool = False


class RowPlace(Value):
    """Where a row of the table stands in the file, and what may be meant there and may not: what `check` says of it."""

    line: int
    doubts: tuple[str, ...] = ()


class NamedWebhook(Value):
    """What one of the file's `webhooks` is called, beside its sink."""

    id: str | None
    name: str


class Rejected(Value):
    """A file on disk that is not in force, for it is wrong: since when, and where."""

    at: datetime
    mistakes: Sequence[Mistake]


class ConfigState(Value, kw_only=True):
    """The file as it is in force.

    cause     what had it loaded: start, change or request
    table     the rows with their names
    places    where each of them stands, nothing where that is not known
    store     the store's address, without its password
    dry_run   the same, to be asked what would happen: nothing of it counts where the bridge runs
    keep      seconds for which settled deliveries can be looked up
    customers what it says of people, and of those who are told by it
    webhooks  sink → what the webhook is called that describes it
    rejected  the file as it is on disk, where that is wrong
    """

    file: Path
    loaded_at: datetime
    cause: str
    admin: AdminSettings
    sinks: Mapping[str, SinkSettings]
    table: Sequence[tuple[str, Route]]
    sources: Sequence[SourceState]
    router: Router
    dry_run: DryRun
    renderer: Renderer
    zone: ZoneInfo
    locale: str
    store: str
    keep: float
    webhooks: Mapping[str, NamedWebhook]
    customers: Customers = Customers()
    places: Sequence[RowPlace] = ()
    rejected: Rejected | None = None

    @property
    def source_names(self) -> Sequence[str]:
        return [one.name for one in self.sources]
