"""The panels there are. This list is the registry: to add a panel, write its module and name it here."""

from collections.abc import Mapping
from typing import Annotated, Any, assert_never

from pydantic import Field

from bridge.message import Dialect
from bridge.panels import cloudevents, marzban, orbvpn, remnawave, wgportal
from bridge.panels.base import Panel
from bridge.panels.cloudevents import CloudEventsConfig, CloudEventsPanel
from bridge.panels.discord import DiscordConfig, DiscordPanel
from bridge.panels.json import JsonConfig, JsonPanel
from bridge.panels.marzban import MarzbanConfig, MarzbanPanel
from bridge.panels.orbvpn import OrbvpnConfig, OrbvpnPanel
from bridge.panels.remnawave import RemnawaveConfig, RemnawavePanel
from bridge.panels.wgportal import WgPortalConfig, WgPortalPanel

#: A configured panel: the word under `panel` chooses which.
SourceSettings = Annotated[
    MarzbanConfig | DiscordConfig | RemnawaveConfig | WgPortalConfig | OrbvpnConfig | CloudEventsConfig | JsonConfig,
    Field(discriminator="panel"),
]

#: The dialects that the bridge can speak itself, to a program that was written for a panel's webhook.
DIALECTS: Mapping[str, Dialect] = {
    "marzban": marzban.emit,
    "remnawave": remnawave.emit,
    "wgportal": wgportal.emit,
    "orbvpn": orbvpn.emit,
    "cloudevents": cloudevents.emit,
}

#: Names that panels use themselves, beside the canonical ones: routes may match either.
NATIVE_TYPES = frozenset((*marzban.TYPES, *marzban.MARZNESHIN_TYPES, *remnawave.TYPES, *wgportal.TYPES))


def open_panel(config: SourceSettings) -> Panel[Any]:
    """The panel that these settings describe."""
    match config:
        case MarzbanConfig():
            return MarzbanPanel(config)
        case DiscordConfig():
            return DiscordPanel(config)
        case RemnawaveConfig():
            return RemnawavePanel(config)
        case WgPortalConfig():
            return WgPortalPanel(config)
        case OrbvpnConfig():
            return OrbvpnPanel(config)
        case CloudEventsConfig():
            return CloudEventsPanel(config)
        case JsonConfig():
            return JsonPanel(config)
        case _:
            assert_never(config)
