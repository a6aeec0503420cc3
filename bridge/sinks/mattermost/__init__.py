"""Mattermost, whole: what it takes, what a message looks like there, and how text is written for it."""

from bridge.sinks.mattermost.sink import MattermostConfig as MattermostConfig
