"""How much is measured: for figures that are worth reading, and for a test that everything runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """`rounds` in turn; how many requests a load has by its connections, events a burst, and so on, in each of them.

    `waiting`: sizes of a backlog, the empty one first. `batch`: bytes of a request with many elements.
    `stored`: events of a month, two deliveries of each.
    In seconds: `rest`, in which a process comes to rest before it is weighed; `held`, in which strangers hold their
    connections; `dealt`, until replicas have dealt out their lanes.
    """

    rounds: int = 5
    requests: tuple[tuple[int, int], ...] = ((1, 600), (16, 2500), (64, 2500))
    burst: int = 2000
    one_at_a_time: int = 80
    shapes: int = 1000
    batch: int = 10 * 2**20
    kept: int = 2000
    heavy_load: int = 50_000
    waiting: tuple[int, ...] = (0, 100_000, 1_000_000)
    stored: int = 500_000
    store_batches: int = 30
    shared: int = 1000
    hostile: int = 20
    unfinished: int = 8
    silent: int = 1200
    secrets: int = 20_000
    rest: float = 2.0
    held: float = 3.0
    dealt: float = 5.0


FULL = Counts()
TINY = Counts(
    rounds=1,
    requests=((1, 3), (16, 32)),
    burst=60,
    one_at_a_time=3,
    shapes=20,
    batch=20_000,
    kept=20,
    heavy_load=50,
    waiting=(0, 300),
    stored=400,
    store_batches=1,
    shared=20,
    hostile=1,
    unfinished=1,
    silent=5,
    secrets=20,
    rest=0.0,
    held=0.1,
    dealt=0.0,
)
