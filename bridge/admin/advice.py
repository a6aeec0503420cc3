"""What to do about what a service said, in one or two sentences."""

import re
from collections.abc import Mapping, Sequence

from bridge.admin.language import N_, Language

Rows = Sequence[tuple[re.Pattern[str], str]]


def _rows(*rows: tuple[str, str]) -> Rows:
    return [(re.compile(pattern, re.IGNORECASE), text) for pattern, text in rows]


#: By what a sink is, and what its reasons have in them; the first that fits.
_OF_SERVICE: Mapping[str, Rows] = {
    "discord": _rows(
        (
            r"\bcode (10015|10016)\b|unknown webhook",
            N_(
                "The webhook was deleted. Make a new one in the channel’s settings, Integrations, and put its address"
                " into the file: the lane flows again by itself."
            ),
        ),
        (
            r"\bcode (50027|50014)\b",
            N_("The address is incomplete: its last part is missing or wrong. Copy the webhook’s whole address."),
        ),
        (
            r"\bcode (10003|50001|50013)\b",
            N_("The channel is gone, or the webhook may not post there. Look at the channel and its permissions."),
        ),
        (r"\bcode (50035|50006)\b", N_("A part of the message is not as Discord wants it: mend the template.")),
    ),
    "slack": _rows(
        (
            r"no_service|no_active_hooks",
            N_("The app or its webhook was removed. Install it again, and use its address."),
        ),
        (r"is_archived", N_("The channel is archived. Bring it back, or name another one.")),
        (
            r"channel_not_found|not_in_channel",
            N_("The app is not in the channel. Invite it, or mend the channel’s name."),
        ),
        (r"invalid_auth|token_|account_inactive|not_authed", N_("The token is wrong or was revoked. Make a new one.")),
        (r"action_prohibited|restricted_action", N_("The workspace does not allow it. Ask whoever runs it.")),
        (r"invalid_blocks|msg_too_long", N_("A part of the message is not as Slack wants it: mend the template.")),
    ),
    "telegram": _rows(
        (r"HTTP 401|HTTP 404", N_("The token is wrong or was revoked. Ask @BotFather for the bot’s token.")),
        (r"set chat_id to", N_("The group has become a supergroup: put the new chat_id into the file.")),
        (r"parse entities", N_("The template makes HTML that Telegram does not know: mend it.")),
        (r"thread not found|topic_", N_("The topic was closed or deleted. Open it again, or name another one.")),
        (
            r"HTTP 403|chat not found|kicked|blocked",
            N_("The bot is not in the chat. Add it again, or mend the chat_id."),
        ),
    ),
    "gohighlevel": _rows(
        (r"HTTP 401|HTTP 403", N_("The key is wrong, or may not do this. Make a new one in HighLevel’s settings.")),
        (r"HTTP 404", N_("HighLevel does not know the location, or what is sent to. Mend it in the file.")),
        (r"not published", N_("Publish the workflow in HighLevel, then let the lane flow again.")),
        (r"HTTP 422|contact", N_("HighLevel does not take this contact. Look at it there, then send them again.")),
    ),
}
_OF_ANY = _rows(
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


def advice(words: Language, service: str | None, reason: str | None) -> str:
    """What somebody can do about it; nothing where that is not known."""
    rows = [*_OF_SERVICE.get(service or "", ()), *_OF_ANY]
    return next((words.say(text) for pattern, text in rows if pattern.search(reason or "")), "")
