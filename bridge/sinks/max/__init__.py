"""MAX, whole: what it takes, what a message looks like there, and how text is written for it."""

from bridge.sinks.max.sink import MaxConfig as MaxConfig
