"""Bale, whole: what it takes, what a message looks like there, and how text is written for it."""

from bridge.sinks.bale.sink import BaleConfig as BaleConfig
