"""GoHighLevel, whole: how it is reached, what a contact is made of, and which fields a location has for it."""

from bridge.sinks.gohighlevel.sink import GoHighLevelConfig as GoHighLevelConfig
from bridge.sinks.gohighlevel.sink import is_api as is_api
