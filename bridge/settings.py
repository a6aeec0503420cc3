"""What all settings share: frozen models, and the few kinds of value people write in the file."""

import re
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from bridge.redaction import redacted_path

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9}


LONGEST, BIGGEST = 100 * 366 * 86400.0, 2**53  # seconds and bytes: what is more is a slip, and no clock counts it


class Settings(BaseModel):
    """A part's own settings. A wrong key stops the start; defaults stand at the fields and nowhere else.

    `example` is one of them with its value, for whom writes the value alone.
    """

    example: ClassVar[str] = ""

    model_config = ConfigDict(
        defer_build=True,  # most models are only ever built as a part of the whole file's
        arbitrary_types_allowed=True,  # a value that a validator has made
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        hide_input_in_errors=True,  # what was written may be a secret
        coerce_numbers_to_str=True,  # a name or a key that is all digits needs no quotes
    )


class Shorthand(Settings):
    """Settings of which the first may be written alone in place of all: `repeat: 1h` for `repeat: {every: 1h}`."""

    @model_validator(mode="before")
    @classmethod
    def _from_its_first(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {next(iter(cls.model_fields)): value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        whole = handler(core_schema)
        first = next(iter(handler.resolve_ref_schema(whole)["properties"].values()))
        return {"anyOf": [whole, {key: first[key] for key in first.keys() - {"title", "description", "default"}}]}


def _seconds(value: Any) -> Any:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip())):
        number, unit = match.groups()
        if (unit or "s") in UNITS:
            value = float(number) * UNITS[unit or "s"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError("should be a duration such as 30s, 5m, 12h or 30d")
    if value > LONGEST:
        raise ValueError("should be a duration of at most a hundred years")
    return float(value)


def seconds_of(text: str) -> float:
    """How many seconds `90s`, `30m`, `2h` or `7d` are; raise ValueError where it is no duration."""
    return float(_seconds(text))


def _silent_after(value: Any) -> Any:
    if value == "auto":
        return value
    try:
        seconds = _seconds(value)
    except ValueError:
        raise ValueError("should be a duration such as 30m or 6h, or the word auto") from None
    if not seconds:
        raise ValueError("should be more than 0")
    return seconds


def _bytes(value: Any) -> Any:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+)\s*([A-Za-z]*)", value.strip())):
        number, unit = match.groups()
        if (unit or "B") in SIZES:
            value = int(number[:20]) * SIZES[unit or "B"]  # of more digits all are too many
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("should be a size such as 512KiB or 32MiB")
    if value > BIGGEST:
        raise ValueError("should be a size of at most 8 PiB")
    return value


def _secrets(value: Any) -> Any:
    if value is None:
        raise ValueError("is empty: give a secret, or write `secret: none` if there really is none")
    if value == "none":
        return ()
    values = value if isinstance(value, list | tuple) else [value]
    if not values or any(isinstance(one, dict | list | bool) or one is None or one == "" for one in values):
        raise ValueError("should be a secret, a list of secrets, or the word none")
    return tuple(one if isinstance(one, SecretStr) else SecretStr(str(one)) for one in values)


def _address_range(value: Any) -> Any:
    try:
        return ip_network(value if isinstance(value, IPv4Network | IPv6Network) else str(value).strip(), strict=False)
    except ValueError:
        raise ValueError("should be an address or a network, such as 203.0.113.7 or 203.0.113.0/24") from None


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (LookupError, OSError, ValueError):
        raise ValueError(f"should be a time zone: did you mean {_nearest_zone(value)}?") from None
    return value


def _nearest_zone(value: str) -> str:
    """The zone of that name or of that city, as far as it can be guessed."""
    zones = {zone.lower(): zone for zone in available_timezones()}
    zones |= {zone.rpartition("/")[2]: zones[zone] for zone in sorted(zones)}
    meant = get_close_matches(value.lower(), zones, n=1)
    return zones[meant[0]] if meant else "Asia/Tehran"


def _base_url(value: str) -> str:
    if not _is_web_address(value) or re.search("[?#]", value):
        raise ValueError("should be an address that begins with http:// or https://")
    return value.rstrip("/")


def _web_address(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not _is_web_address(text):
        raise ValueError("should be an address that begins with http:// or https://")
    return SecretStr(text)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 raises where it is none
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x1f\x7f]", text)


def _several(value: Any) -> Any:
    """One value as a list of one, and the word none as an empty list."""
    return () if value == "none" else value if isinstance(value, list | tuple) else [value]


def is_folder(path: Path) -> bool:
    """Whether there is one; a name that the system does not take is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _existing_folder(value: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("folder", Path())
    folder = base / value
    if not is_folder(folder):
        raise ValueError(f"should be a folder: there is none at {base / redacted_path(value)}")
    return folder


def one_or_many(value: Any) -> Any:
    """A list, where one alone may stand for it."""
    return value if isinstance(value, list | tuple) else [value]


class _OneOrMany:
    """For a field that is a list: where there is one thing, it may stand alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(one_or_many, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


T = TypeVar("T")
#: Several things of a kind; one may stand alone.
OneOrMany = Annotated[tuple[T, ...], _OneOrMany()]

#: Float seconds; written `30s`, `5m`, `30d`, or a bare number of seconds.
Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": ["string", "number"], "examples": ["30s", "5m", "12h", "30d"]}),
]

#: When a source is silent: float seconds, or `auto`.
SilentAfter = Annotated[
    float | Literal["auto"],
    BeforeValidator(_silent_after),
    WithJsonSchema({"type": ["string", "number"], "examples": ["auto", "30m", "6h"]}),
]

#: Int bytes; written `32MiB`, `512KiB`, or a bare number of bytes.
Size = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["512KiB", "32MiB"]}),
]

#: One secret or several at once (rotation); `none` says that there really is none.
Secrets = Annotated[
    tuple[SecretStr, ...],
    BeforeValidator(_secrets),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": ["string", "number"]},
                {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
            ],
            "writeOnly": True,
        }
    ),
]

Network = IPv4Network | IPv6Network

#: Addresses: one, or a network of them.
AddressRange = Annotated[
    Network,
    BeforeValidator(_address_range),
    WithJsonSchema({"type": "string", "examples": ["203.0.113.7", "203.0.113.0/24"]}),
]

#: What something is reached by: an http(s) address, without the slash at its end.
BaseUrl = Annotated[str, AfterValidator(_base_url)]

#: An http(s) address that may hold a secret.
SecretAddress = Annotated[SecretStr, AfterValidator(_web_address)]

#: Several durations, or the word none.
Durations = Annotated[
    tuple[Duration, ...],
    BeforeValidator(_several),
    WithJsonSchema(
        {
            "oneOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": ["string", "number"]}}],
            "examples": ["3d", "none"],
        }
    ),
]

#: Several parts of a hundred, or the word none.
Percents = Annotated[
    tuple[Annotated[int, Field(ge=1, le=99)], ...],
    BeforeValidator(_several),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "integer", "minimum": 1, "maximum": 99},
                {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 99}},
                {"const": "none"},
            ]
        }
    ),
]

#: A folder beside the file.
Folder = Annotated[Path, AfterValidator(_existing_folder)]

#: A text of one sign or more.
NonEmpty = Annotated[str, StringConstraints(min_length=1)]

#: The name of a time zone, as Asia/Tehran.
TimeZone = Annotated[str, AfterValidator(_zone)]

#: One name or a list of them.
NameList = Annotated[
    tuple[str, ...],
    BeforeValidator(one_or_many),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
