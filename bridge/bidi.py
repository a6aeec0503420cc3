"""Signs that are not seen, and say in which direction what stands behind them, or between two of them, is written.

Source   unicode.org/reports/tr9 (UAX #9)
"""

RLM = "\u200f"  # from right to left
LRI, FSI = "\u2066", "\u2068"  # what lies between this one and a PDI: from left to right, and as its own letters are
PDI = "\u2069"


def isolated(text: str) -> str:
    """A text that is read in its own direction, whatever stands around it."""
    return f"{FSI}{text}{PDI}"
