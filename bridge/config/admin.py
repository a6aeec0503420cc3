"""What must hold of the `admin:` key as a whole, and what of it may not be meant."""

from bridge.admin.settings import TOKEN_SIGNS, AdminSettings
from bridge.config.document import Document, KeyPath
from bridge.config.model import Config
from bridge.config.warnings import is_demo
from bridge.errors import suggestion
from bridge.listening import clash, is_reachable
from bridge.people.recipient import is_name
from bridge.redaction import redacted

_TOKENS = ("token", "read_token")


def check_admin(document: Document, config: Config) -> None:
    """Report an admin side that people reach from elsewhere and that asks them for no token worth the name."""
    admin = config.admin_side()
    if config.admin is None or admin.listen is None:
        return
    at = document.position(("admin", "listen"))
    if clash(config.listen, admin.listen):
        what = f"is where panels are listened to already, {config.listen}: give it a port of its own"
        document.report(("admin", "listen"), what, at)
    if admin.is_open():
        if admin.is_reachable():
            what = (
                f"is needed where the admin side listens on {admin.listen.rpartition(':')[0] or 'all addresses'}:"
                " give one, or listen on 127.0.0.1"
            )
            document.report(("admin", "token"), what, at)
        elif admin.is_proxied():
            document.report(("admin", "token"), "is needed where people reach the admin side through a proxy", at)
        elif admin.read_token:
            document.report(("admin", "token"), "is needed beside read_token: without it whoever comes may act", at)
        elif admin.owners:
            document.report(("admin", "token"), "is needed beside owners: without it whoever comes may act", at)
    _check_tokens(document, admin)
    _check_owners(document, config, config.admin)
    if admin.url is not None and not admin.is_https() and is_reachable(admin.authority()):
        document.warn(("admin", "url"), "is http: the token travels in the clear")


def _check_tokens(document: Document, admin: AdminSettings) -> None:
    """Short ones, the example's, and one that stands for both roles."""
    for key in _TOKENS:
        for token in getattr(admin, key):
            _check_token(document, ("admin", key), token.get_secret_value(), admin)
    acting = {one.get_secret_value() for one in admin.token}
    if any(one.get_secret_value() in acting for one in admin.read_token):
        document.report(("admin", "read_token"), "is the same as token: who has it could act")


def _check_token(document: Document, path: KeyPath, token: str, admin: AdminSettings) -> None:
    position = document.position(path)
    if len(token) < TOKEN_SIGNS:
        what = f"should have at least {TOKEN_SIGNS} signs: make one with `openssl rand -hex 16`"
        document.report(path, what, position)
    elif is_demo(token) and (admin.is_reachable() or admin.is_proxied()):
        what = "is the one of the example, which everyone knows: make one with `openssl rand -hex 16`"
        document.report(path, what, position)
    elif not token.isascii() or not token.isprintable() or " " in token:
        document.report(path, "should be one word of plain letters, digits and signs", position)


def _check_owners(document: Document, config: Config, admin: AdminSettings) -> None:
    """Tokens that open more than one page, and owners of whom nobody speaks."""
    taken = {one.get_secret_value(): key for key in _TOKENS for one in getattr(admin, key)}
    realms = sorted(set(config.realms().values()))
    for name, owner in admin.owners.items():
        path = ("admin", "owners", name)
        if not is_name(name):
            document.report(path, "is no name: it has signs that are not seen, or too many")
        if owner.realm is None and len(realms) > 1:
            document.report(
                (*path, "realm"), f"is needed: there are {', '.join(map(redacted, realms))}", document.position(path)
            )
        elif owner.realm is not None and owner.realm not in realms:
            document.report(
                (*path, "realm"),
                f'no source has the realm "{redacted(owner.realm)}": {suggestion(owner.realm, map(redacted, realms))}',
            )
        for token in (one.get_secret_value() for one in owner.token):
            _check_token(document, (*path, "token"), token, admin)
            if (first := taken.setdefault(token, f"that of {name}")) != f"that of {name}":
                document.report((*path, "token"), f"is the same as {first}: each opens one page")
