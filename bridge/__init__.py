"""Panelbridge: the event bridge beside your VPN panel."""

__version__ = "0.1.0"
