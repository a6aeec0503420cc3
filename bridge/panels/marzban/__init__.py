"""Marzban and its forks, whole: what their events are called, what they hold, and how to speak like Marzban."""

from bridge.panels.marzban.panel import MarzbanConfig as MarzbanConfig
from bridge.panels.marzban.panel import RebeccaConfig as RebeccaConfig
