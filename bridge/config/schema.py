"""The JSON Schema of the file, for editors: pydantic's own, and what the reader adds to YAML."""

from collections.abc import Iterator
from typing import Any

from bridge.admin.settings import AdminSettings
from bridge.config.model import NAME_PATTERN, Config
from bridge.config.yaml import ROOT_SECRETS
from bridge.event import JsonObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILE = {"type": ["string", "array"], "items": {"type": "string"}, "description": "the same, read from this file"}
_VARIABLE = {"type": "string", "pattern": r"\$\{"}
_NAME = {"pattern": f"^{NAME_PATTERN}$"}


def schema() -> JsonObject:
    """Draft 2020-12; every setting with its description."""
    found = Config.model_json_schema()
    found["properties"] |= {f"{name}_file": _FILE for name in ROOT_SECRETS}
    for section in ("sources", "sinks"):
        entries = found["properties"][section]
        entries["propertyNames"] = _NAME
        chosen = entries["additionalProperties"]["discriminator"]
        for reference in set(chosen["mapping"].values()):
            _add_file_keys(found["$defs"][reference.removeprefix("#/$defs/")], chosen["propertyName"])
    _add_file_keys(found["$defs"][AdminSettings.__name__], None)
    for node in list(_typed_nodes(found)):
        _allow_variables(node)
    return {"$schema": DIALECT, **found, "title": "Panelbridge", "patternProperties": {"^x-": {}}}


def _add_file_keys(definition: JsonObject, chosen_by: str | None) -> None:
    """Every secret may stand in a file of its own: `secret_file` beside `secret`. A word that chooses must stand."""
    secrets = [name for name, one in definition["properties"].items() if _is_secret(one)]
    definition["properties"] |= {f"{name}_file": _FILE for name in secrets}
    required = definition.get("required", [])
    chosen = [] if chosen_by is None else [chosen_by]
    definition["required"] = [*chosen, *(name for name in required if name not in (*secrets, chosen_by))]
    either = [{"oneOf": [{"required": [name]}, {"required": [f"{name}_file"]}]} for name in secrets if name in required]
    if either:
        definition["allOf"] = either


def _is_secret(node: JsonObject) -> bool:
    return bool(node.get("writeOnly")) or any(_is_secret(one) for one in node.get("anyOf", []))


def _allow_variables(node: JsonObject) -> None:
    """`${VAR}` may stand for a number or a truth as well."""
    if node.get("type") in ("integer", "number", "boolean"):
        typed = {key: node.pop(key) for key in list(node) if key not in ("title", "description", "default")}
        node["anyOf"] = [typed, _VARIABLE]


def _typed_nodes(value: Any) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value
        for one in value.values():
            yield from _typed_nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _typed_nodes(one)
