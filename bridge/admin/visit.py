"""What a page is given: who asks, what for, and where to look it up."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from bridge.admin.access.auth import Principal, Role
from bridge.admin.language import Language
from bridge.admin.one_time import OneTimeStore
from bridge.admin.state import ConfigState
from bridge.admin.wording.not_found import NotThere as NotThere
from bridge.store.ledger import Ledger
from bridge.value import Value, field

if TYPE_CHECKING:
    from bridge.admin.trials.shapes import SentTest
    from bridge.admin.trouble import StoreTrouble


class Visit(Value, kw_only=True):
    """One request of a page.

    ledger  the store, for looking only
    query   what stands behind the ? of the address
    path    what the `{…}` of the page's path are
    form    what was sent along, for a page that asks
    tests   the last test of each sink that this process has sent
    trouble what the store said of late when it did not take what it was given
    once    what an action has left for this page to show, by a word of the query
    under_way  whether an errand of that name is
    """

    ledger: Ledger
    state: ConfigState
    who: Principal
    language: Language
    now: datetime
    query: Mapping[str, str]
    path: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)
    tests: "Mapping[str, SentTest]" = field(default_factory=dict)
    trouble: "StoreTrouble | None" = None
    once: OneTimeStore = field(default_factory=OneTimeStore)
    under_way: Callable[[str], bool] = lambda name: False

    @property
    def may_act(self) -> bool:
        return self.who.may(Role.ACT)


#: What a template is filled with.
PageVariables = Mapping[str, object]
View = Callable[[Visit], PageVariables]


class Elsewhere(Exception):
    """What was asked for is shown on another page, at `path`."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)
