"""The panels there are. This list is the registry: to add a panel, write its module and name it here."""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field

from bridge.message import Dialect
from bridge.panels.alertmanager import AlertmanagerConfig
from bridge.panels.base import SourceConfig
from bridge.panels.bedolaga import BedolagaConfig
from bridge.panels.cloudevents import CloudEventsConfig
from bridge.panels.defguard import DefguardConfig
from bridge.panels.discord import DiscordEndpointConfig
from bridge.panels.json import JsonConfig
from bridge.panels.marzban import MarzbanConfig, RebeccaConfig
from bridge.panels.orbvpn import OrbvpnConfig
from bridge.panels.remnawave import RemnawaveConfig
from bridge.panels.tailscale import TailscaleConfig
from bridge.panels.threexui import ThreeXuiConfig
from bridge.panels.uptimekuma import UptimeKumaConfig
from bridge.panels.wgdashboard import WGDashboardConfig
from bridge.panels.wgportal import WgPortalConfig
from bridge.polled import OF_WATCH

#: A configured panel: the word under `panel` chooses which.
SourceSettings = Annotated[
    MarzbanConfig
    | DiscordEndpointConfig
    | RebeccaConfig
    | RemnawaveConfig
    | WgPortalConfig
    | WGDashboardConfig
    | OrbvpnConfig
    | AlertmanagerConfig
    | UptimeKumaConfig
    | ThreeXuiConfig
    | TailscaleConfig
    | DefguardConfig
    | BedolagaConfig
    | CloudEventsConfig
    | JsonConfig,
    Field(discriminator="panel"),
]

#: Its members.
CONFIGS: tuple[type[SourceConfig], ...] = get_args(get_args(SourceSettings)[0])

#: The dialects that the bridge can speak itself, to a program that was written for a panel's webhook.
DIALECTS: Mapping[str, Dialect] = {
    config.words()[0]: dialect for config in CONFIGS if (dialect := config.dialect()) is not None
}

#: Panel → the types that it is known to tell.
TOLD = {word: config.other_types.union(config.native_types.values()) for config in CONFIGS for word in config.words()}

#: The panels whose senders name the types themselves.
OPEN_ENDED = tuple(word for config in CONFIGS if not config.native_types for word in config.words())

#: Names that panels use themselves, as globs, beside the canonical ones: routes may match either.
NATIVE_TYPES = frozenset(native for config in CONFIGS for native in config.native_types).union(OF_WATCH)
