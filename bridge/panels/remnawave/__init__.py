"""Remnawave, whole: what its events are called, what they hold, and how to speak like it."""

from bridge.panels.remnawave.panel import RemnawaveConfig as RemnawaveConfig
