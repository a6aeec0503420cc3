"""What pydantic finds wrong, put so that a person can mend it, and at its place in the file. Never a value's text:
it may be a secret."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bridge.config.document import Document, KeyPath
from bridge.errors import suggestion as suggestion
from bridge.redaction import HIDDEN, may_be_repeated, redacted

#: pydantic's kinds of error and what they mean here; {} is filled from the error's context.
_MESSAGES = {
    **dict.fromkeys(("string_type", "path_type"), "should be text: put it in quotes"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "should be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    "tuple_type": "should be a list, as in [one, two]",
    "greater_than": "should be more than {gt:g}",
    "greater_than_equal": "should be at least {ge:g}",
    "less_than_equal": "should be at most {le:g}",
    "too_short": "should not be empty",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "too_long": "should have at most {max_length} entries",
}
_MAPPINGS = ("dict_type", "model_type", "model_attributes_type")
#: What the sections that are lists, or mappings of names, look like.
_SECTIONS = {
    "routes": "should be a list of rows, each behind a dash, as in `- to: ops`",
    "webhooks": "should be a list, each behind a dash, as in `- name: Sales`",
    "sources": "should be a mapping, as in `key: value`: each source under its name, without a dash",
    "sinks": "should be a mapping, as in `key: value`: each sink under its name, without a dash",
}
INVALID_NAME = "is not a name: begin with a letter or digit, then letters, digits and . _ -, 64 in all"


def report_errors(error: ValidationError, document: Document, root: type[BaseModel]) -> None:
    """Report all that pydantic found, but for what follows from a value that could not be had."""
    found: dict[KeyPath, list[str]] = {}
    for one in error.errors(include_url=False):
        path, text = _explained(one, document, root)
        found.setdefault(path, []).append(text)
    for path, texts in found.items():
        if lookalike := document.lookalikes.pop(path, None):
            document.report(path, lookalike)
        elif not any(path[: len(bad)] == bad[: len(path)] for bad in document.rejected):
            about_key = texts[0].startswith("unknown key") or texts[0] == INVALID_NAME
            parent = path[:-1] if texts[0].startswith(("unknown key", "missing key")) else path
            position = document.key_position(path) if about_key else document.position(path)
            document.report(parent, _combined(texts), position)


def _explained(error: ErrorDetails, document: Document, root: type[BaseModel]) -> tuple[KeyPath, str]:
    path, kind, context = _key_path(error, document), error["type"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            names = [name for model in _models_at(root, path[:-1], document) for name in _fields(model)]
            return path, _unknown_key(str(path[-1]), names)
        case "missing":
            return (
                path,
                f'missing key "{path[-1]}"{_purpose(_models_at(root, path[:-1], document), str(path[-1]))}',
            )
        case "union_tag_not_found":
            key = str(context["discriminator"]).strip("'")
            words = sorted(word for model in _models_at(root, path, document) for word in _tags(model, key))
            return (*path, key), f'missing key "{key}": there are {", ".join(words)}'
        case "union_tag_invalid":
            key = str(context["discriminator"]).strip("'")
            return (*path, key), _unknown_word(document.value((*path, key)), _choices(context))
        case "literal_error":
            options = _choices(context)
            given = error["input"]
            meant = get_close_matches(given, options, n=1) if isinstance(given, str) else []
            hint = f': did you mean "{meant[0]}"?' if meant else ""
            return path, f"should be {any_of(options)}{hint}"
        case "value_error":
            return path, str(context["error"])
        case _ if len(path) == 1 and path[0] in _SECTIONS and kind in (*_MAPPINGS, "tuple_type"):
            return path, _SECTIONS[str(path[0])]
        case _ if kind in _MAPPINGS:
            return path, _mapping_wanted(error["input"], _models_at(root, path, document))
        case "string_type" | "path_type" if error["input"] is None or isinstance(error["input"], list | dict):
            return path, _one_text_wanted(error["input"])
        case _:
            text = _MESSAGES.get(kind) or error["msg"].replace("Input should", "should")
            return path, text.format(**context) if kind in _MESSAGES else text


def _unknown_key(key: str, known: list[str]) -> str:
    """What to write in the place of a key that means nothing; `{url:https://…}` is one, all of it."""
    begun = key.partition(":")[0]
    if begun != key and begun.removesuffix("_file") in known:
        return f'unknown key "{begun}:{HIDDEN}": put a space behind its colon'
    return f'unknown key "{redacted(key)}": {suggestion(key, known)}'


def _unknown_word(given: Any, words: list[str]) -> str:
    """What to write in the place of a word that chooses nothing."""
    if isinstance(given, str):
        return f'"{redacted(given)}" is unknown: {suggestion(given, words)}'
    if given is None:
        return f"is empty: there are {', '.join(sorted(words))}"
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str):
        return f"should be one word, not a list: {suggestion(given[0], words)}"
    return f"should be one word: there are {', '.join(sorted(words))}"


def _mapping_wanted(given: Any, models: list[type[BaseModel]]) -> str:
    """How it is written, with the given value in its place where it is the value of the model's example."""
    if given is None:
        return "is empty: its own settings stand below it, indented further than its name"
    example = getattr(models[0], "example", "") if len(models) == 1 else ""
    if not example:
        return "should be a mapping, as in `key: value`: one in a line, with a space behind the colon"
    key = example.partition(":")[0]
    with suppress(ValidationError):
        models[0].model_validate({key: given})
        shown = isinstance(given, str | int) and not isinstance(given, bool) and may_be_repeated(str(given))
        example = f"{key}: {given}" if shown else example
    return f"should be a mapping, as in {{{example}}}"


def _one_text_wanted(given: Any) -> str:
    return (
        "is empty" if given is None else f"should be one text, not a {'list' if isinstance(given, list) else 'mapping'}"
    )


def _key_path(error: ErrorDetails, document: Document) -> KeyPath:
    """Where in the file: pydantic's way there, without the names of the alternatives that it tried."""
    path: KeyPath = ()
    loc = error["loc"]
    for index, part in enumerate(loc):
        is_alternative = index == 2 and loc[0] in ("sources", "sinks")
        is_missing = index == len(loc) - 1 and error["type"] == "missing"
        if not is_alternative and ((*path, part) in document.values or is_missing):
            path = (*path, part)
    return path


def _combined(texts: list[str]) -> str:
    """The alternatives of one value in one sentence."""
    first, *rest = dict.fromkeys(texts)
    return " or ".join([first, *(text.removeprefix("should be ") for text in rest)])


def any_of(options: Sequence[str]) -> str:
    """`one, two or three`."""
    return " or ".join(filter(None, (", ".join(options[:-1]), options[-1])))


def _choices(context: Mapping[str, Any]) -> list[str]:
    quoted = str(context.get("expected_tags") or context.get("expected", ""))
    return re.findall(r"'([^']*)'", quoted)


def _purpose(models: list[type[BaseModel]], key: str) -> str:
    if key == "secret":
        return ': give a secret, or write "secret: none" if there really is none'
    fields = (field for model in models if (field := _fields(model).get(key)))
    return next((f": {field.description}" for field in fields if field.description), "")


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Its settings, by the keys that they have in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_at(root: type[BaseModel], path: KeyPath, document: Document) -> list[type[BaseModel]]:
    """The models that the settings at `path` may have: one, unless the word that chooses it is missing."""
    models = [root]
    for depth, part in enumerate(path, start=1):
        fields = _fields(models[0]) if len(models) == 1 else {}
        if part in fields:
            models = list(_models_in(fields[str(part)].annotation))
        else:  # a name in a mapping, or a place in a list
            models = [one for one in models if _may_be(one, document.value(path[:depth]))]
    return models


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models_in(one)


def _may_be(model: type[BaseModel], value: Any) -> bool:
    """Whether the word that chooses a model, `panel: marzban`, chooses this one; any fits where there is none."""
    chosen = [(key, value[key]) for key in ("panel", "type") if isinstance(value, dict) and key in value]
    return all(word in words for key, word in chosen if key in model.model_fields and (words := _tags(model, key)))


def _tags(model: type[BaseModel], key: str) -> tuple[Any, ...]:
    return get_args(model.model_fields[key].annotation)
