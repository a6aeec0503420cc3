"""Discord's execute-webhook endpoint, whole: what is posted there, and the reports that panels post."""

from bridge.panels.discord.panel import DiscordEndpointConfig as DiscordEndpointConfig
