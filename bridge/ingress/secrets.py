"""What is a secret, where no rule says so: by what it is called, and by what it looks like.

A name is one where it ends on a word for a secret, however its words are joined and cased: `Password`,
`client_secret`, `refreshToken`, `x-api-key`, `APIKEY`. Words that say in which form the secret is may follow:
`password_hash`, `token 2`. Any other word that follows makes it a name for something about the secret: `tokens_used`,
`token_type`, `password_changed_at`. `key` alone is no such word, `private key` is.

A text is searched for what is a secret wherever it stands: private keys, JWTs, passwords in addresses, the links of VPN
clients, bots' tokens, and webhooks' addresses. Only the secret part is replaced.

Why each pattern begins with what is fixed, or at the beginning of a word, and repeats without going back: a text comes
from strangers, and its length is all that looking through it may cost.
"""

import re
from collections.abc import Callable
from enum import Enum

from bridge.originals import MASK

LONGEST_NAME = 100  # characters: what is longer is no name
KEPT_NAMES = 4096
SHORTEST_SECRET = 10  # characters of the shortest text that has one in it: a://:b@c.d

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: What a name may go on with, and is still the secret's: in which form, and which one.
_FORMS = frozenset(
    (
        *("value", "text", "string", "plain", "raw", "hash", "hashed", "encoded", "encrypted", "base64", "b64", "hex"),
        *("header", "current", "new", "old", "previous", "confirm", "confirmed", "confirmation", "again", "repeat"),
    )
)
#: Whose keys are secrets. Not a public one's, nor that of a table, an issue or a translation.
_KEYED = (
    *("api", "private", "secret", "access", "shared", "encryption", "decryption", "signing", "auth", "authentication"),
    *("authorization", "master", "session", "hmac", "license", "licence", "client", "server", "ssl", "tls", "admin"),
    *("root", "app", "bot", "webhook", "account", "service", "deploy", "subscription", "wireguard", "reality"),
)
_ENDS = tuple(
    f"{word}{plural}"
    for word in (
        *("password", "passwd", "passphrase", "passcode", "secret", "token", "authorization", "credential", "cookie"),
        *("mnemonic", *(f"{owner}key" for owner in _KEYED)),
    )
    for plural in ("", "s")
)
#: Too short to be recognised at the end of another word.
_WORDS = frozenset(("pwd", "psk", "jwt", "otp", "pass"))
#: Before `pass` and `auth`, which mean much else.
_PASS_OF = frozenset(
    (
        *("auth", "basic", "user", "username", "login", "admin", "root", "account", "db", "database", "mysql", "pg"),
        *("postgres", "redis", "smtp", "imap", "mail", "email", "ftp", "ssh", "sudo", "proxy", "http", "wifi", "api"),
        *("client", "server", "service", "app", "my", "new", "old"),
    )
)
_AUTH_OF = frozenset(("basic", "http", "proxy", "digest", "x"))
_JOINED_PASS = frozenset(f"{owner}pass" for owner in _PASS_OF)


def _ends_on_secret(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and (words[-1] in _FORMS or words[-1].isdecimal()):
        words.pop()
    if not words:
        return False
    before, last = words[-2] if len(words) > 1 else None, words[-1]
    if last in ("pass", "auth") and before is not None:
        return before in (_PASS_OF if last == "pass" else _AUTH_OF)
    return last in _WORDS or last in _JOINED_PASS or "".join(words).endswith(_ENDS)


class NameKind(Enum):
    """What a name is: that of a secret, one with a secret in it, or any other."""

    PLAIN = 0
    OF_SECRET = 1
    WITH_SECRET = 2


def _name_kind(name: str) -> NameKind:
    if without_secrets(name) != name:
        return NameKind.WITH_SECRET
    return NameKind.OF_SECRET if len(name) <= LONGEST_NAME and _ends_on_secret(name) else NameKind.PLAIN


class _Names(dict[str, NameKind]):
    """Names that were asked for: asking once more is a look into a dictionary."""

    def __missing__(self, name: str) -> NameKind:
        kind = _name_kind(name)
        if len(name) <= LONGEST_NAME:
            if len(self) >= KEPT_NAMES:
                self.clear()
            self[name] = kind
        return kind


#: What a name is.
name_kind: Callable[[str], NameKind] = _Names().__getitem__


def names_secret(name: str) -> bool:
    """Whether what is called so is a secret."""
    return name_kind(name) is NameKind.OF_SECRET


def names_several(name: str) -> bool:
    """Whether it is the name of several: a number under it counts them, as in `tokens: 1500`."""
    return name.rstrip("0123456789_- ").lower().endswith("s")


def without_secrets(text: str) -> str:
    """`text` with what is a secret in it masked; itself where there is none."""
    length = len(text)
    if length < SHORTEST_SECRET or text.isalnum():
        return text
    for least, mark, patterns in _PATTERNS:
        if length >= least and mark in text:
            for pattern, replacement in patterns:
                text = pattern.sub(replacement, text)
    return text


#: The lines that a private key stands between; a text that is cut off has no last one.
PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
PEM_END = "-----END "
_PEM = re.compile(
    rf"({PEM_BEGIN.pattern}).*?(-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{7,}+\.[A-Za-z0-9_-]{2,}+(?:\.[A-Za-z0-9_-]*+){1,3}")
_VPN_LINK = re.compile(
    r"\b((?:vless|trojan|ss|ssr|vmess|hysteria2?|hy2|tuic|anytls|wireguard|snell)://)[A-Za-z0-9%._~!$&'()*+,;=:/-]++"
)
_USER_AND_PASSWORD = re.compile(r"(://[^\s/?#@:\"'<>]*+:)(?:[^\s/?#@\"'<>]*+@)++")
_QUERY = re.compile(r"([?&;]([A-Za-z0-9_.-]{1,64})=)([^\s&;#\"'<>]++)")
#: JSON in a text, as of a request that was logged.
_PAIR = re.compile(r'("([A-Za-z0-9_.-]{1,64})"\s{0,4}:\s{0,4}")((?:[^"\\]|\\.)*+)')
_HEADER = re.compile(r"(\b[Aa]uthorization: {0,4}+)[^\r\n\"']++")
#: A token is longer than a word, or has a digit in it.
_BEARER = re.compile(r"\b([Bb]earer )(?:[A-Za-z._~+/=-]{0,99}[0-9][A-Za-z0-9._~+/=-]*+|[A-Za-z._~+/=-]{20,}+)")
_TELEGRAM = re.compile(r"(?<![0-9])([0-9]{6,12}(?::|%3A))[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")
_DISCORD_BOT = re.compile(
    r"(?<![A-Za-z0-9_.-])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_.-])"
)
_DISCORD = re.compile(r"(discord(?:app)?\.com/api/(?:v[0-9]{1,3}/)?webhooks/[^/\s]{1,100}/)[A-Za-z0-9_.~%-]++")
#: Whatever speaks like Discord, as this bridge does; a token is longer than a word.
_LIKE_DISCORD = re.compile(r"(/api/(?:v[0-9]{1,3}/)?webhooks/[^/\s]{1,100}/)[A-Za-z0-9_.~%-]{16,}+")
_SLACK = re.compile(r"(hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/)[A-Za-z0-9_/%.-]++")
_SLACK_TOKEN = re.compile(r"\b(xox[a-z]-|xapp-)[A-Za-z0-9-]{10,}+")
_ZAPIER = re.compile(r"(hooks\.zapier\.com/hooks/[a-z]{1,20}/)[A-Za-z0-9_/%.-]++")


def _masked_value(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}" if names_secret(found[2]) else found[0]


Replacement = str | Callable[[re.Match[str]], str]
#: How long a text must be and what it must have in it for patterns to be worth their while, and what each puts there.
_PATTERNS: tuple[tuple[int, str, tuple[tuple[re.Pattern[str], Replacement], ...]], ...] = (
    (30, "-----BEGIN ", ((_PEM, rf"\1{MASK}\2"),)),
    (20, "eyJ", ((_JWT, MASK),)),
    (10, "://", ((_VPN_LINK, rf"\1{MASK}"), (_USER_AND_PASSWORD, rf"\1{MASK}@"))),
    (20, "/webhooks/", ((_DISCORD, rf"\1{MASK}"), (_LIKE_DISCORD, rf"\1{MASK}"))),
    (20, "hooks.", ((_SLACK, rf"\1{MASK}"), (_ZAPIER, rf"\1{MASK}"))),
    (15, "xox", ((_SLACK_TOKEN, rf"\1{MASK}"),)),
    (15, "xapp-", ((_SLACK_TOKEN, rf"\1{MASK}"),)),
    (42, ":", ((_TELEGRAM, rf"\1{MASK}"),)),
    (44, "%3A", ((_TELEGRAM, rf"\1{MASK}"),)),
    (58, ".", ((_DISCORD_BOT, MASK),)),
    (16, "uthorization:", ((_HEADER, rf"\1{MASK}"),)),
    (10, "earer ", ((_BEARER, rf"\1{MASK}"),)),
    (10, '"', ((_PAIR, _masked_value),)),
    (10, "=", ((_QUERY, _masked_value),)),
)
