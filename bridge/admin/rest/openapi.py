"""The document of it all, OpenAPI 3.1, made of the models that read and answer."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from bridge import __version__
from bridge.admin.access.auth import Role
from bridge.admin.rest.endpoint import PLACES, Endpoint, PlainText
from bridge.admin.rest.response_models import Problem
from bridge.event import JsonObject

PROBLEMS: Mapping[int, str] = {
    400: "What was posted is no JSON",
    401: "No token, or not the token",
    403: "The token may look, and change nothing",
    404: "There is no such thing",
    409: "It cannot be done as things are",
    413: "It is too big",
    415: "What is posted should be JSON",
    422: "A parameter or a part of the body is not what it should be",
    429: "Too soon; Retry-After says when",
    503: "The store cannot be asked now; Retry-After says when",
}
_REF = "#/components/schemas/{model}"
_PLACES: Mapping[str, str] = {
    "event": "an event's id, or its beginning",
    "delivery": "a delivery's number",
    "sink": "a sink's name",
    "group": "the key of a group",
    "mute": "a mute's number",
    "table": "the key of a table",
    "announcement": "an announcement's number",
    "realm": "whose users they are: of a source its realm, or its name",
    "who": "user:NAME, owner:NAME or node:NAME",
}
_NUMBERS = ("delivery", "mute", "announcement")


@cache
def document(endpoints: tuple[Endpoint, ...]) -> JsonObject:
    """All that there is to ask for, below /api/v1."""
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Panelbridge",
            "version": __version__,
            "description": "What the admin side shows and does, for programs.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(endpoints),
        },
    }


def _schemas(endpoints: tuple[Endpoint, ...]) -> JsonObject:
    wanted: dict[type[BaseModel], JsonSchemaMode] = {Problem: "serialization"}
    for one in endpoints:
        if not isinstance(one.answer, PlainText):
            wanted[one.answer] = "serialization"
        wanted.update(dict.fromkeys(one.body, "validation"))
    _, found = models_json_schema(list(wanted.items()), ref_template=_REF)
    schemas: JsonObject = found["$defs"]
    return schemas


def _operation(endpoint: Endpoint) -> JsonObject:
    needs = "the token, read_token will not do" if endpoint.role is Role.ACT else "read_token or the token"
    operation: JsonObject = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"For {needs}.",
        "parameters": [*_places(endpoint), *_parameters(endpoint)],
        "responses": dict(_responses(endpoint)),
    }
    if endpoint.takes is not None:
        operation["requestBody"] = {"required": True, "content": _text(endpoint.takes)}
    if endpoint.body:
        schema = (
            {"anyOf": [_ref(model) for model in endpoint.body]} if len(endpoint.body) > 1 else _ref(endpoint.body[0])
        )
        operation["requestBody"] = {
            "required": endpoint.needs_body,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _places(endpoint: Endpoint) -> Iterator[JsonObject]:
    for name in endpoint.places:
        schema: JsonObject = {"type": "string", "pattern": f"^{PLACES[name]}$"}
        if name in _NUMBERS:
            schema = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
        yield {"name": name, "in": "path", "required": True, "description": _PLACES[name], "schema": schema}


def _parameters(endpoint: Endpoint) -> Iterator[JsonObject]:
    schema = endpoint.query.model_json_schema(ref_template=_REF)
    defs = schema.get("$defs", {})
    for name, property_ in schema.get("properties", {}).items():
        about, required = _resolved(property_, defs), name in schema.get("required", ())
        description = about.pop("description", "")
        yield {"name": name, "in": "query", "required": required, "description": description, "schema": about}


def _resolved(property_: JsonObject, defs: Mapping[str, Any]) -> JsonObject:
    """A parameter's schema by itself: what cannot be written in an address, null, is left out."""
    choices = [one for one in property_.get("anyOf", ()) if one.get("type") != "null"]
    found: JsonObject = {**property_, **(choices[0] if choices else {})}
    found.pop("anyOf", None)
    found.pop("title", None)
    if found.get("default", 0) in (None, []):
        found.pop("default")
    if "items" in found:
        found["items"] = _resolved(found["items"], defs)
    if ref := found.pop("$ref", None):
        known = {name: one for name, one in defs[ref.rpartition("/")[2]].items() if name != "title"}
        found = {**known, **found}
    return found


def _responses(endpoint: Endpoint) -> Iterator[tuple[str, JsonObject]]:
    yield (
        str(endpoint.status),
        {"description": endpoint.summary, "content": _answer(endpoint)},
    )
    for status in sorted(_refusals(endpoint)):
        response: JsonObject = {
            "description": PROBLEMS[status],
            "content": {"application/problem+json": {"schema": _ref(Problem)}},
        }
        if status in (429, 503):
            response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "required": True}}
        yield str(status), response


def _refusals(endpoint: Endpoint) -> set[int]:
    found = {401, 422, 503, *endpoint.refuses}
    found |= {404} if endpoint.places else set()
    found |= {400, 413, 415} if endpoint.body else {413, 415} if endpoint.takes else set()
    found |= {403} if endpoint.role is Role.ACT or endpoint.method == "POST" else set()
    return found


def _answer(endpoint: Endpoint) -> JsonObject:
    if isinstance(endpoint.answer, PlainText):
        return _text(endpoint.answer)
    return {"application/json": {"schema": _ref(endpoint.answer)}}


def _text(text: PlainText) -> JsonObject:
    return {text.content_type: {"schema": {"type": "string"}, "example": text.example}}


def _ref(model: type[BaseModel]) -> JsonObject:
    return {"$ref": _REF.format(model=model.__name__)}
