"""How fast a sink may be, as people write it: `10/s`, `30/min`, a list of these, `unlimited`."""

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from bridge.outcome import Rate

PERIODS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = re.compile(r"([0-9]{1,100})\s*/\s*([0-9]{0,100})\s*(ms|s|min|m|h|d)")
MOST, LONGEST = 1_000_000, 366 * 86400.0  # messages in a period, and its seconds


def _rates(value: Any) -> Any:
    """`10/s`, `30/min`, a bare number per second, a list of these; `unlimited` or 0 for none."""
    if value in ("unlimited", "none", 0) and value is not False:
        return ()
    if value == []:
        raise ValueError("should not be empty: for no limit, write unlimited")
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(one if isinstance(one, Rate) else _rate(one) for one in values)


def _rate(value: Any) -> Rate:
    rate = _read_rate(value)
    if rate is None or rate.count == 0:
        raise ValueError("should be a rate such as 10/s or 30/min, a list of them, or the word unlimited")
    if rate.count > MOST:
        raise ValueError(f"should be {MOST:,} at the most in one period; for no limit, write unlimited")
    if not 0 < rate.period <= LONGEST:
        raise ValueError("should have a period of more than 0 s and at most 366 days")
    return rate


def _read_rate(value: Any) -> Rate | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return Rate(value, 1.0) if value > 0 else None
    if isinstance(value, float):
        return Rate(1, 1 / value) if 1e-300 < value < math.inf else None
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    return Rate(int(match[1]), PERIODS[match[3]] * int(match[2] or 1)) if match else None


#: How many messages in how much time.
Rates = Annotated[
    tuple[Rate, ...],
    BeforeValidator(_rates),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": ["string", "number"]},
                {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
            ],
            "examples": ["10/s", "30/min", "unlimited"],
        }
    ),
]
