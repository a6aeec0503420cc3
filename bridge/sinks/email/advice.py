"""What is worth saying of an e-mail sink's settings before anything is sent.

Source   RFC 8314 §3.3 (465 is TLS from the first byte), RFC 6409 (587 is STARTTLS);
         support.google.com/accounts/answer/185833 (app passwords: 16 letters)
"""

import re
from collections.abc import Iterator

from pydantic import SecretStr

from bridge.sinks.settings import Advice

TLS, SUBMISSION = 465, 587
GOOGLE = ("smtp.gmail.com", "smtp.googlemail.com")


def port_advice(port: int | None, encryption: str) -> Iterator[Advice]:
    """What does not go together, at a server that keeps to the usual ports."""
    if port == TLS and encryption == "starttls":
        yield Advice(
            "port", f"{TLS} is TLS from the first byte: say encryption: tls, or port: {SUBMISSION}", fatal=False
        )
    if port == SUBMISSION and encryption == "tls":
        yield Advice("port", f"{SUBMISSION} begins without TLS: say encryption: starttls, or port: {TLS}", fatal=False)


def password_advice(server: str, password: SecretStr | None) -> Iterator[Advice]:
    """What is wrong with a password, by its form."""
    if server not in GOOGLE or password is None:
        return
    if not re.fullmatch(r"[a-z]{16}", password.get_secret_value().replace(" ", "")):
        text = "is no app password, which is all that Gmail takes: make one under Google Account, Security"
        yield Advice("password", text, fatal=False)
