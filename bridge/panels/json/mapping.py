"""Our keys of `data`, filled by the operator's expressions with what belongs there; and words that are opposites."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator

from bridge.codec import dump
from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.expressions import FAULTS, Expression
from bridge.foreign import number, parse_json, present, text, texts, truth, utc, whole
from bridge.panels.base import dotted
from bridge.redaction import redacted
from bridge.vocabulary import KEYS, ValueKind

#: The canonical keys by their dotted names, and what stands there.
KINDS: Mapping[str, ValueKind] = {
    **{name: key.kind for name, key in KEYS.items() if not key.keys},
    **{f"{name}.{inner}": one.kind for name, key in KEYS.items() for inner, one in key.keys.items()},
}

BAD, GOOD = "firing", "resolved"
#: The family of a type that has none.
FAMILY = "alert"


def plain_json(found: Any) -> Any:
    """An expression's value as JSON, for it can be what is none, as a generator; None where it cannot."""
    with suppress(BadPayload, *FAULTS):
        return parse_json(dump(list(found) if isinstance(found, Iterator) else found))
    return None


def named_text(value: Any) -> str | None:
    """A text that says something, or a number as one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text(value)


def _object(value: Any) -> JsonObject | None:
    found = plain_json(value)
    return found if isinstance(found, dict) else None


def _list(value: Any) -> list[Any] | None:
    found = plain_json(value)
    return found if isinstance(found, list) else None


#: How an expression's value is read for each kind; None where it is none of it.
_READ: Mapping[ValueKind, Callable[[Any], Any]] = {
    **dict.fromkeys((ValueKind.TEXT, ValueKind.STATE, ValueKind.ID), named_text),
    **dict.fromkeys((ValueKind.TIME, ValueKind.DEADLINE), utc),
    **dict.fromkeys((ValueKind.NUMBER, ValueKind.BYTES), whole),
    **dict.fromkeys(
        (
            *(ValueKind.SECONDS, ValueKind.HOURS, ValueKind.DAYS),
            *(ValueKind.PERCENT, ValueKind.AMOUNT, ValueKind.FACTOR),
        ),
        number,
    ),
    ValueKind.TRUTH: truth,
    ValueKind.TEXTS: lambda value: texts(_list(value)),
    **dict.fromkeys((ValueKind.NUMBERS, ValueKind.OBJECTS), _list),
    ValueKind.OBJECT: _object,
}


def mapped(values: Mapping[str, Any]) -> JsonObject:
    """`data` of these values by their dotted keys; what is none, or not what belongs there, is left out."""
    data: JsonObject = {}
    for key, value in values.items():
        about, _, inner = key.partition(".")
        found = present(**{inner or about: _READ[KINDS[key]](value)})
        if found and inner:
            data.setdefault(about, {}).update(found)
        else:
            data.update(found)
    return data


def paired(type_: str, pairs: Mapping[str, str]) -> str:
    """The type with the vocabulary's word for its last one, where that is one of a pair."""
    family, _, word = type_.rpartition(".")
    for bad, good in pairs.items():
        if word in (dotted(bad), dotted(good)):
            return f"{family or FAMILY}.{BAD if word == dotted(bad) else GOOD}"
    return type_


def _canonical(key: str) -> str:
    if key not in KINDS:
        meant = get_close_matches(key, KINDS, n=1, cutoff=0.6)
        raise ValueError(f'"{redacted(key)}" is no key of data' + (f': did you mean "{meant[0]}"?' if meant else ""))
    return key


def _one_word(word: str) -> str:
    if not dotted(word) or "." in dotted(word):
        raise ValueError(f'"{redacted(word)}" should be one word, the last one of a type')
    return word


def _each_once(pairs: dict[str, str]) -> dict[str, str]:
    words = [dotted(word) for pair in pairs.items() for word in pair]
    if twice := next((word for word in words if words.count(word) > 1), None):
        raise ValueError(f'"{redacted(twice)}" stands there twice: a word has one opposite')
    return pairs


Word = Annotated[str, AfterValidator(_one_word)]

#: What stands under each of our keys.
DataMapping = dict[Annotated[str, AfterValidator(_canonical)], Expression]
#: Bad news → the good news that ends it, as last words of types.
WordPairs = Annotated[dict[Word, Word], AfterValidator(_each_once)]
