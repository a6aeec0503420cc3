"""Any JSON: the operator says with Jinja expressions what happened, and to whom.

Source   jinja.palletsprojects.com/en/stable/templates/#expressions
Secret   in the configured header, as Authorization: Bearer, or in the URL; where it is the key of a signature, nowhere
Sends    whatever the program sends, as JSON or as a form, URL-encoded or multipart; an array is taken element by
         element, unless `each` says otherwise
Signs    as `signature` says, see signature.py
Units    occurred_at: ISO 8601 text, UTC where it names no zone, or seconds or milliseconds since 1970
Quirks   in the expressions `body` is the element, `headers` the headers by lower-case name, and the keys of an object
         stand by themselves, and come before Python's methods: body.items is the sender's; request.body is the whole
         body, of which `each` has taken an element, and request.headers are the headers
         a constant needs its quotes: type: "'backup.done'"
         a form is an object of texts, unless `field` names the one that holds the JSON; what begins like JSON is none,
         whatever its client calls it
         a header `webhook-id` or `svix-id`, as of Standard Webhooks, names the request: what comes under the same id is
         its repeat, where `dedupe` says nothing of it
         a type is never put under the panel's name: it is the operator's own word; where the expression gives none, it
         is json.unnamed, and where `each` gives no list, the body is the one element: nothing authentic is refused
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from pydantic import Field, model_validator

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.expressions import FAULTS, Expression, compile_expression
from bridge.foreign import moment, parse_json
from bridge.intake import Fingerprint
from bridge.panels.base import (
    UNNAMED,
    Hook,
    Panel,
    ParsedEvent,
    SourceConfig,
    dotted,
    fingerprint_key,
    form_of,
    unknown_type,
)
from bridge.panels.json.mapping import DataMapping, WordPairs, mapped, named_text, paired, plain_json
from bridge.panels.json.signature import SignatureSettings, check_body, check_head
from bridge.vocabulary import opposite

FIELDS = 1000  # of a form


class JsonConfig(SourceConfig):
    panel: Literal["json"] = Field(description="any program that sends JSON")
    type: Expression = Field(description="a Jinja expression for the event's type, as body.kind or \"'backup.done'\"")
    subject: Expression | None = Field(None, description="what it is about, as 'user:' ~ body.login; none if not given")
    occurred_at: Expression | None = Field(None, description="when it happened; when it arrived if not given")
    each: Expression | None = Field(None, description="the list of elements in the body, as body.alerts")
    data: DataMapping | None = Field(None, description="our keys, each with its expression; as sent if not given")
    pairs: WordPairs | None = Field(None, description="words that are opposites, bad: good, as broken: mended")
    dedupe: Expression | None = Field(None, description="what tells a repeat from every other event, as body.id")
    field: str | None = Field(None, min_length=1, description="the field of a form that holds the JSON, as payload")
    header: str = Field("X-Webhook-Secret", min_length=1, description="the header that holds the secret")

    signature: SignatureSettings | None = Field(None, description="how it signs, in place of sending the secret")

    @model_validator(mode="after")
    def _has_a_key(self) -> "JsonConfig":
        if self.signature is not None and not self.secret:
            raise ValueError("signature needs a secret: it is the key")
        return self

    def open(self) -> "JsonPanel":
        return JsonPanel(self)


class JsonPanel(Panel[JsonConfig]):
    def __init__(self, config: JsonConfig) -> None:
        super().__init__(config)
        self._expressions = {
            name: compile_expression(source)
            for name in ("type", "subject", "occurred_at", "each", "dedupe")
            if (source := getattr(config, name)) is not None
        } | {f"data.{key}": compile_expression(source) for key, source in (config.data or {}).items()}
        sources = [config.type, config.subject, config.occurred_at, config.dedupe, *(config.data or {}).values()]
        self._asks_request = any(source is not None and "request" in source for source in sources)

    def verify_head(self, hook: Hook) -> bool:
        if self.config.signature is not None:
            check_head(self.config.signature, hook)
            return False
        return self.verify_secret(*hook.plain_secrets(self.config.header))

    def verify_body(self, hook: Hook) -> None:
        if self.config.signature is not None:
            check_body(self.config.signature, hook, self._secrets)

    def elements(self, hook: Hook) -> Sequence[Any]:
        body = self._body(hook)
        if self.config.each is None:
            return body if isinstance(body, list) else [body]
        elements = plain_json(self._value("each", body, hook))
        return elements if isinstance(elements, list) else [body]

    def whole(self, hook: Hook) -> Any:
        """The body, where an expression asks for what stands beside its element."""
        return self._body(hook) if self._asks_request else None

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        if named := named_text(self._value("dedupe", element, hook)):
            # U+FFFD stands for what no database takes: two names may have become one
            return None if "\ufffd" in named else _named_fingerprint(named, self._types(element, hook)[1])
        id_ = (hook.header("webhook-id") or hook.header("svix-id") or b"").strip()
        return Fingerprint(fingerprint_key(id_.hex(), index)) if id_ else None

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        native, type_ = self._types(element, hook)
        return ParsedEvent(
            type=type_,
            native_type=native,
            subject=_subject(named_text(self._value("subject", element, hook))),
            data=self._data(element, hook),
            occurred_at=moment(self._value("occurred_at", element, hook)),
        )

    def _types(self, element: Any, hook: Hook) -> tuple[str, str]:
        """What the program calls the event, and its type."""
        native = named_text(self._value("type", element, hook)) or UNNAMED
        named = dotted(native) not in ("", UNNAMED)
        return native, paired(dotted(native), self.config.pairs or {}) if named else unknown_type("json", native)

    def _body(self, hook: Hook) -> Any:
        """The JSON; of a form the JSON in the configured field, or else its fields."""
        form, field = form_of(hook, most=FIELDS), self.config.field
        if form is None:
            return parse_json(hook.body)
        if field is None:
            return form
        if field not in form:
            raise BadPayload(f'the form has no field "{field}"')
        return parse_json(form[field].encode())

    def _data(self, element: Any, hook: Hook) -> JsonObject:
        """What is mapped onto our keys; all that was sent where nothing is."""
        if self.config.data is None:
            return dict(element) if isinstance(element, dict) else {"value": element}
        return mapped({key: self._value(f"data.{key}", element, hook) for key in self.config.data})

    def _value(self, name: str, element: Any, hook: Hook) -> Any:
        """What the expression gives; None where there is none, where it leads nowhere, or fails."""
        expression = self._expressions.get(name)
        if expression is None:
            return None
        with suppress(*FAULTS):
            return expression(_names(element, hook))
        return None


def _named_fingerprint(named: str, type_: str) -> Fingerprint:
    """What tells a repeat by its name; of bad news and good of one name each ends the other, and neither repeats it."""
    if (ended := opposite(type_)) is None:
        return Fingerprint(fingerprint_key("dedupe", named))
    return Fingerprint(fingerprint_key("dedupe", named, type_), ends=fingerprint_key("dedupe", named, ended))


def _subject(found: str | None) -> str | None:
    """What it is about; None where a kind has no name: `'node:' ~ body.node` of a null is "node:None"."""
    _, colon, name = (found or "").partition(":")
    return None if colon and name.strip() in ("", "None") else found


def _names(element: Any, hook: Hook) -> JsonObject:
    own = element if isinstance(element, dict) else {}
    headers = {key.lower(): (hook.header(key) or b"").decode("utf-8", "replace") for key in hook.headers}
    request = {"body": element if hook.whole is None else hook.whole, "headers": headers}
    return {**own, "request": request, "body": element, "headers": headers}
