"""Apprise, whole: which services it reaches, what a message looks like there, and what its yes and no are worth."""

from bridge.sinks.apprise.sink import AppriseConfig as AppriseConfig
