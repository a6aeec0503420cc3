"""What a running bridge lends the admin side, where there is none."""

from collections.abc import Callable, Sequence

from bridge.admin.actions import BridgeControls
from bridge.admin.errands import Errands
from bridge.admin.trials.sink_test import Probe
from bridge.admin.trouble import StoreTrouble
from bridge.delivery.probe import ProbeResult
from bridge.event import Event
from bridge.outcome import Attempt, Delivered
from bridge.store import open_ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.scrub import Scrubbed


def means_of(
    outbox: SqlOutbox,
    *,
    reload: Callable[[], None] = lambda: None,
    probe: Probe | None = None,
    store: str = "sqlite:///none.db",
    trouble: Callable[[], StoreTrouble | None] = lambda: None,
) -> BridgeControls:
    """Of a bridge that carries every lane, and whose services take every test. `store`: where its errands work."""
    return BridgeControls(
        reload=reload,
        resume=outbox.resume,
        ready=outbox.check,
        carries=lambda sink: True,
        operate=outbox.operate,
        probe=probe or _nowhere,
        errands=Errands(lambda: open_ledger(store)),
        scrub=_scrubbed,
        trouble=trouble,
    )


async def _scrubbed(texts: Sequence[str]) -> Scrubbed:
    return Scrubbed.DONE


async def _nowhere(sink: str, event: Event, locale: str | None) -> ProbeResult:
    return ProbeResult(Attempt(Delivered(ref="42"), 200, "ok"), ms=87.4)
