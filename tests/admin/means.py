"""What a running bridge lends the admin side, where there is none."""

from collections.abc import Callable

from bridge.admin.actions import Means
from bridge.store.outbox import SqlOutbox


def means_of(outbox: SqlOutbox, *, reload: Callable[[], None] = lambda: None) -> Means:
    """Of a bridge that carries every lane."""
    return Means(
        reload=reload,
        resume=outbox.resume,
        ready=outbox.check,
        carries=lambda sink: True,
        operate=outbox.operate,
    )
