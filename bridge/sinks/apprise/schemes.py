"""The schemes of Apprise that may be used: remote ones, each looked at in the pinned version.

Source   PyPI apprise 2.2.0: apprise/plugins (gotify.py, rocketchat.py, google_chat.py, workflows.py, pushover.py,
         apprise_api.py, custom_json.py, synology.py, signal_api.py), which say the formats and lengths;
         gotify.net/api-docs; developer.rocket.chat, "Webhooks"; developers.google.com/workspace/chat, spaces.messages;
         pushover.net/api; github.com/bbernhard/signal-cli-rest-api
Quirks   what Apprise calls success is a status alone: whether a message was told says the service's own word.
         No scheme here runs a command, reads a file, or speaks to this machine's desktop
         kavenegar is none of them: Apprise sends its key without encryption
"""

import re
from collections.abc import Callable

from yarl import URL

from bridge.event import JsonObject
from bridge.foreign import object_at
from bridge.outcome import Rate
from bridge.value import Value

OURS = Rate(10, 10.0)


class Scheme(Value, kw_only=True):
    """What there is to know of one.

    service   how people call it
    markdown  whether it shows markdown
    text      characters of a text; `title` of a title, 0 where it has none
    told      whether an answer says that the message was told
    fault     what a refusal says, empty where it is not the service's own
    gone      what a fault of 400 says that is about the place, and not about the message
    host      where it is, of a service that is in one place; None where the address says it
    rate      what it takes
    apart     whether a line of its own wants an empty one above it
    """

    service: str
    markdown: bool = False
    text: int
    title: int = 250
    told: Callable[[JsonObject], bool]
    fault: Callable[[JsonObject], str]
    gone: re.Pattern[str] = re.compile(r"(?!)")
    host: str | None = None
    rate: Rate = OURS
    apart: bool = False


def _text_at(*path: str, beside: Callable[[JsonObject], bool] = bool) -> Callable[[JsonObject], str]:
    """What stands at a path of an answer, where that is a text, and all `beside` it is as the service has it."""

    def found(answer: JsonObject) -> str:
        *parents, last = path
        inner = answer
        for key in parents:
            inner = dict(object_at(inner, key))
        value = inner.get(last)
        return value if isinstance(value, str) and beside(answer) else ""

    return found


def _has(key: str, kind: type) -> Callable[[JsonObject], bool]:
    return lambda answer: isinstance(answer.get(key), kind) and bool(answer.get(key))


def _pushover_fault(answer: JsonObject) -> str:
    errors = answer.get("errors")
    return "; ".join(map(str, errors)) if isinstance(errors, list) and answer.get("status") == 0 else ""


def _synology_accepted(answer: JsonObject) -> bool:
    return answer.get("success") is True


_GOTIFY = Scheme(
    service="Gotify",
    text=32768,
    told=_has("id", int),
    fault=_text_at("errorDescription", beside=_has("errorCode", int)),
)
_ROCKET = Scheme(
    service="Rocket.Chat",
    markdown=True,
    text=1000,
    title=0,
    told=lambda answer: answer.get("success") is True,
    fault=_text_at("error", beside=lambda answer: answer.get("success") is False),
    gone=re.compile(r"integration id or token|error-invalid-(channel|user)|error-not-allowed", re.IGNORECASE),
    rate=Rate(10, 60.0),
)
_GOOGLE = Scheme(
    service="Google Chat",
    markdown=True,
    text=4000,
    title=0,
    told=_has("name", str),
    fault=_text_at("error", "message"),
    host="chat.googleapis.com",
    rate=Rate(1, 1.0),
)
_TEAMS = Scheme(
    service="Microsoft Teams",
    markdown=True,
    text=1000,
    told=lambda answer: False,  # a flow that was started tells nothing of what becomes of it
    fault=_text_at("error", "message"),
    gone=re.compile(r"not enabled|disabled|trigger", re.IGNORECASE),
    rate=Rate(4, 1.0),
    apart=True,
)
_PUSHOVER = Scheme(
    service="Pushover",
    text=1024,
    told=lambda answer: answer.get("status") == 1,
    fault=_pushover_fault,
    gone=re.compile(r"token|user (key|identifier)|subscription", re.IGNORECASE),
    host="api.pushover.net",
    rate=Rate(1, 1.0),
)
_APPRISE = Scheme(
    service="Apprise API", text=32768, told=lambda answer: not answer.get("error"), fault=_text_at("error")
)
_JSON = Scheme(service="JSON", text=32768, told=lambda answer: True, fault=_text_at("error"))
_SYNOLOGY = Scheme(
    service="Synology Chat", text=32768, title=0, told=_synology_accepted, fault=_text_at("error", "errors")
)
_SIGNAL = Scheme(
    service="Signal", text=32768, title=0, told=lambda answer: "timestamp" in answer, fault=_text_at("error")
)
SCHEMES: dict[str, Scheme] = {
    **dict.fromkeys(("gotify", "gotifys"), _GOTIFY),
    **dict.fromkeys(("rocket", "rockets"), _ROCKET),
    "gchat": _GOOGLE,
    **dict.fromkeys(("workflow", "workflows"), _TEAMS),
    "pover": _PUSHOVER,
    **dict.fromkeys(("apprise", "apprises"), _APPRISE),
    **dict.fromkeys(("json", "jsons"), _JSON),
    **dict.fromkeys(("synology", "synologys"), _SYNOLOGY),
    **dict.fromkeys(("signal", "signals"), _SIGNAL),
}

#: Words of an address's query that would undo what is promised here: tries, lengths, certificates and files of its own.
FORBIDDEN = frozenset(
    {
        *("overflow", "retry", "wait", "optional", "store", "verify", "redirect", "rto", "cto", "format", "emojis"),
        *("template", "attach", "attachment", "batch", "file_url", "image", "avatar", "tz"),
    }
)


def scheme_of(url: str) -> str:
    """The word before `://`."""
    return url.partition("://")[0].lower()


def place_of(url: str) -> URL:
    """Where an address leads, without anything that is secret: as http says it."""
    name = scheme_of(url)
    scheme = SCHEMES[name]
    web = "https" if scheme.host or scheme is _TEAMS or name.endswith("s") else "http"
    if scheme.host:
        return URL.build(scheme=web, host=scheme.host)
    parsed = URL(url)
    return URL.build(scheme=web, host=parsed.host or "", port=parsed.explicit_port)
