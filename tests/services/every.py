"""All that the tests know of the sinks there are: tests over every sink go through this, and none is left out.

A sink of the union that has no `KNOWN` in `tests/services/{type}.py` fails here.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from bridge.sinks.base import ChatConfig, SinkConfig
from tests.services.known import Known, KnownChat, Way
from tests.sinks.values import CONFIGS


def known(config: type[SinkConfig]) -> Known:
    """What is known of a sink; fails where that is not enough."""
    type_ = config.model_fields["type"].default
    module = f"tests.services.{type_}"
    assert find_spec(module), f"tests/services/{type_}.py is missing: a strict stand-in of the service, and KNOWN"
    found: Any = getattr(import_module(module), "KNOWN", None)
    wanted = KnownChat if issubclass(config, ChatConfig) else Known
    assert isinstance(found, wanted), f"tests/services/{type_}.py should have a {wanted.__name__} called KNOWN"
    return found


EVERY: dict[str, Known] = {config.model_fields["type"].default: known(config) for config in CONFIGS}
#: Every way to reach one of them: its name → the settings, and what there is to know.
WAYS: dict[str, tuple[Mapping[str, Any], Known, Way]] = {
    f"{type_} {name}": ({"type": type_, **way.settings}, one, way)
    for type_, one in EVERY.items()
    for name, way in one.ways.items()
}
CHATS: dict[str, KnownChat] = {name: one for name, one in EVERY.items() if isinstance(one, KnownChat)}
