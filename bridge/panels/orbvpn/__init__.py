"""OrbVPN, whole: its four formats, what its objects hold, and how to speak like it."""

from bridge.panels.orbvpn.panel import OrbvpnConfig as OrbvpnConfig
