"""What to do about what a service said, in one or two sentences."""

from bridge.admin.language import N_, Language
from bridge.sinks import CONFIGS
from bridge.sinks.remedies import remedies

_OF_ANY = remedies(
    (r"no answer: proxy|the proxy answered", N_("The proxy does not carry it. Look at the sink’s proxy in the file.")),
    (r"certificate", N_("Its certificate is not trusted: it has run out, or is of another name.")),
    (
        r"name or service|nodename|resolve|name resolution",
        N_("Its host was not found. Look at the address in the file."),
    ),
    (
        r"no answer",
        N_("It did not answer. If other sinks of this machine do, a firewall or a proxy may stand between."),
    ),
    (r"moved to", N_("Its address has changed: put the new one into the file.")),
    (r"HTTP 413", N_("The message is too large for it: shorten the template.")),
)


_OF_SERVICE = {config.model_fields["type"].default: config.remedies for config in CONFIGS}


def advice(words: Language, service: str | None, reason: str | None) -> str:
    """What somebody can do about it; nothing where that is not known."""
    rows = [*_OF_SERVICE.get(service or "", ()), *_OF_ANY]
    return next((words.say(text) for pattern, text in rows if pattern.search(reason or "")), "")
