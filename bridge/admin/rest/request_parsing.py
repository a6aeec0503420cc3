"""A request as its endpoint wants it, or what is wrong with it, part by part. No value is ever repeated."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.admin.answers import RequestRefused
from bridge.admin.rest.endpoint import Endpoint
from bridge.admin.rest.request_models import QueryParameters
from bridge.errors import suggestion

MOST_ERRORS = 20
JSON = "application/json"


def query_of(endpoint: Endpoint, pairs: Iterable[tuple[str, str]]) -> QueryParameters:
    """The parameters; raise RequestRefused where one is unknown, is given twice, or is not what it should be."""
    model = endpoint.query
    found: dict[str, Any] = {}
    for name, value in pairs:
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is tuple:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise _invalid([{"parameter": name, "detail": "is given twice"}])
        else:
            found[name] = value
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _invalid(_query_faults(error, model)) from None


def body_of(endpoint: Endpoint, content_type: str, body: bytes) -> BaseModel | None:
    """What was posted, as one of the endpoint's models; None where nothing was.

    Raise RequestRefused for anything else.
    """
    if not endpoint.body or (not body and not endpoint.needs_body):
        return None
    if content_type != JSON:
        raise RequestRefused(415, "this is not read here", f"Post it as {JSON}.", headers={"Accept": JSON})
    faults: list[ValidationError] = []
    for model in endpoint.body:
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            faults.append(error)
    raise _unread(endpoint, faults)


def _unread(endpoint: Endpoint, faults: Sequence[ValidationError]) -> RequestRefused:
    """What is wrong with a body that fits no model: with the one that it comes nearest to."""
    found = [one.errors(include_url=False, include_input=False) for one in faults]
    if any(one["type"] == "json_invalid" for errors in found for one in errors):
        return RequestRefused(400, "the body is no JSON")
    nearest = min(range(len(found)), key=lambda place: len(found[place]))
    return _invalid(_body_faults(found[nearest], endpoint.body[nearest]))


def _query_faults(error: ValidationError, model: type[BaseModel]) -> Iterator[Mapping[str, str]]:
    for one in error.errors(include_url=False, include_input=False):
        name = str(one["loc"][0]) if one["loc"] else ""
        yield {"parameter": name[:100], "detail": _detail(one, name, model)}


def _body_faults(errors: Sequence[ErrorDetails], model: type[BaseModel]) -> Iterator[Mapping[str, str]]:
    for one in errors:
        path = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in one["loc"])
        yield {"pointer": f"#/{path}"[:200], "detail": _detail(one, str(one["loc"][-1]) if one["loc"] else "", model)}


def _detail(one: ErrorDetails, name: str, model: type[BaseModel]) -> str:
    if one["type"] == "extra_forbidden":
        return f"is unknown: {suggestion(name, [field.alias or one for one, field in model.model_fields.items()])}"
    if one["type"] == "missing":
        return "is missing"
    return one["msg"].removeprefix("Value error, ")


def _invalid(faults: Iterable[Mapping[str, str]]) -> RequestRefused:
    errors = list(faults)[:MOST_ERRORS]
    first = errors[0]
    where = first.get("parameter") or first.get("pointer", "")
    return RequestRefused(422, "the request is not as it should be", f"{where}: {first['detail']}", errors=errors)
