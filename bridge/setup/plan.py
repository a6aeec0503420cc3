"""What is wished for: which panels, which sinks, what is told; made to settings only where all of it can be."""

import secrets
from collections.abc import Mapping
from fnmatch import fnmatchcase

from pydantic import TypeAdapter, ValidationError

from bridge.errors import BridgeError
from bridge.event import JsonObject
from bridge.panels import CONFIGS, OPEN_ENDED, TOLD
from bridge.setup.questions import QUESTIONS, is_secret, variable
from bridge.sinks import SinkSettings
from bridge.value import Value, field

SINKS: TypeAdapter[SinkSettings] = TypeAdapter(SinkSettings)
#: What needs somebody: limits and ends, what is lost, who came in, what was not paid, and what the panel itself says.
NEEDED = (
    "user.limited",
    "user.expired",
    "user.expiring",
    "user.usage_abnormal",
    "subscription.expired",
    "payment.failed",
    "node.*",
    "security.*",
    "system.*",
    "alert.*",
)


class Plan(Value, kw_only=True):
    """panels: the words that choose them · sinks: type → its settings · secrets: what `.env` says, by name

    told     everything, or needed: what somebody has to look at
    compose  for a container: reached by its network, and the store on a volume
    """

    panels: tuple[str, ...]
    sinks: Mapping[str, JsonObject]
    told: str = "needed"
    locale: str = "en"
    timezone: str = "UTC"
    public_url: str | None = None
    compose: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict)

    def globs(self) -> tuple[str, ...]:
        """What is told, of what these panels tell."""
        if self.told == "everything":
            return ("*",)
        if any(panel in OPEN_ENDED for panel in self.panels):
            return NEEDED
        types = {type_ for panel in self.panels for type_ in TOLD[panel]}
        return tuple(glob for glob in NEEDED if any(fnmatchcase(one, glob) for one in types)) or ("*",)


def known_panels() -> dict[str, str]:
    """The panels that need no more than a secret, and what each is called."""
    return {
        word: f"{config.model_fields['panel'].description}" if len(config.words()) == 1 else word.capitalize()
        for config in CONFIGS
        for word in config.words()
        if not any(one.is_required() for name, one in config.model_fields.items() if name not in ("panel", "secret"))
    }


def new_secret() -> str:
    """One for a panel: 64 letters and digits, which is the most that any of them asks for."""
    return secrets.token_hex(32)


def checked_sink(type_: str, settings: Mapping[str, object]) -> SinkSettings:
    """The settings of a sink; raise BridgeError, in words and without a secret, where they cannot be."""
    try:
        made = SINKS.validate_python({"type": type_, **settings})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part not in (type_, "function-after[]"))
        raise BridgeError(f"init: {type_}: {where} {_words(first['msg'])}".replace("  ", " ")) from None
    fatal = next((one for one in made.advise() if one.fatal), None)
    if fatal is not None:
        raise BridgeError(f"init: {type_}: {fatal.setting} {fatal.text}")
    return made


def missing(type_: str, settings: Mapping[str, object]) -> str | None:
    """The first setting that a sink lacks, by its questions; one that can be reached in another way lacks none."""
    try:
        checked_sink(type_, settings)
    except BridgeError:
        return next((one.setting for one in QUESTIONS[type_] if one.setting not in settings), None)
    return None


def with_variables(sinks: Mapping[str, Mapping[str, object]]) -> tuple[dict[str, JsonObject], dict[str, str]]:
    """The sinks as the file has them, their secrets replaced by variables, and what these stand for."""
    shown: dict[str, JsonObject] = {}
    values: dict[str, str] = {}
    for type_, settings in sinks.items():
        shown[type_] = {}
        for setting, value in settings.items():
            if is_secret(type_, setting):
                values[variable(type_, setting)] = str(value)
                value = f"${{{variable(type_, setting)}}}"
            shown[type_][setting] = value
    return shown, values


def _words(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return "is missing" if text == "Field required" else text[:1].lower() + text[1:]
