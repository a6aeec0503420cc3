"""Where a list is wanted and there is one thing, the thing alone will do."""

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

from bridge.config.model import Config
from tests.config.test_example import models

#: Sections, whose rows stand behind dashes: a mapping there is somebody's mistake.
SECTIONS = ("routes", "webhooks")
LISTS = [
    (model, field.alias or name)
    for model in sorted(set(models(Config)), key=lambda one: f"{one.__module__}.{one.__name__}")
    for name, field in model.model_fields.items()
    if "tuple[" in str(field.annotation) and name not in SECTIONS
    if (model.__name__, name) != ("ThreeXuiConfig", "secret")  # none alone: nothing is posted
]
ONES = (200, "a", "10/s", "users", "10.0.0.0/8", "30s", "mon", "owner", "10", "user.*", "user.note", "VPN", "k" * 32)
ONES_OF_MAPPINGS = (
    {"text": "a", "url": "https://a.example"},
    {"label": "a", "url": "https://a.example"},
    {"name": "a", "url": "https://a.example"},
    {"label": "a", "url": "https://a.example", "text": "a"},
)


def faults(model: type[BaseModel], key: str, value: object) -> list[tuple[object, ...]]:
    """What is wrong with that key alone."""
    try:
        model.model_validate({key: value})
    except ValidationError as error:
        return [one["loc"] for one in error.errors() if one["loc"][:1] == (key,)]
    return []


@pytest.mark.parametrize(("model", "key"), LISTS, ids=lambda one: getattr(one, "__name__", one))
def test_one_thing_may_stand_where_a_list_is_wanted(model: type[BaseModel], key: str) -> None:
    taken = [one for one in (*ONES, *ONES_OF_MAPPINGS) if not faults(model, key, [one])]
    assert taken
    schema = TypeAdapter(model).json_schema()
    properties = schema.get("properties") or schema["anyOf"][0]["properties"]
    validator = Draft202012Validator({**properties[key], "$defs": schema.get("$defs", {})})
    for one in taken:
        assert faults(model, key, one) == []
        if validator.is_valid([one]):
            assert validator.is_valid(one)
