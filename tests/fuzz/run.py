"""Many requests of a kind, from a seed: which of them was answered 500, made smaller until it is short."""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from tests.fuzz.door import Door
from tests.fuzz.grammar import KINDS


def fuzz(door: Door, kind: str, *, seed: int, count: int) -> None:
    """Raise AssertionError with the request that is answered 5xx, but for 503, or that brings the bridge down."""

    @seeded(seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(KINDS[kind])
    def answered(request: bytes) -> None:
        status = door.post(request)
        assert status is None or status < 500 or status in (501, 503, 505), (status, request)
        assert door.bridge.running, request

    answered()
