"""3x-ui, which is asked: it has no webhook."""

from bridge.panels.threexui.panel import ThreeXuiConfig, ThreeXuiPanel

__all__ = ["ThreeXuiConfig", "ThreeXuiPanel"]
