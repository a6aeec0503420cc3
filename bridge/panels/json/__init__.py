"""Any JSON, whole: what happened by the operator's expressions, and whether the sender signed it."""

from bridge.panels.json.panel import JsonConfig as JsonConfig
from bridge.panels.json.panel import JsonPanel as JsonPanel
