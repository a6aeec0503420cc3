"""The bot that customers write to: which sink's it can be."""

from bridge.config.document import Document
from bridge.config.errors import suggestion
from bridge.config.model import Config
from bridge.people.recipient import Audience
from bridge.redaction import redacted
from bridge.sinks.base import ChatConfig


def check_people(document: Document, config: Config) -> None:
    """Report what is wrong between `people` and the sinks, and warn of letters that nobody can stop."""
    _warn_of_letters(document, config)
    _check_bounces(document, config)
    name = None if config.people is None else config.people.bot
    if name is None:
        if config.people is not None and config.people.proofs:
            document.report(("people", "proofs"), "needs people.bot: it is a bot that they are shown to")
        return
    path, sinks = ("people", "bot"), config.all_sinks()
    if (sink := sinks.get(name)) is None:
        document.report(path, f'no sink named "{redacted(name)}": {suggestion(name, list(sinks))}')
    elif sink.ears() is None:
        document.report(path, f'sink "{name}" is of a service whose people cannot write to it')
    elif (addressing := sink.addressing()) is None or addressing.audience is not Audience.PERSON:
        document.report(
            path, f'sink "{redacted(name)}" is not addressed to users: name one whose address speaks of person'
        )
    elif config.secret_key is None:
        _check_proofs(document, config)


def _check_proofs(document: Document, config: Config) -> None:
    """Report, or warn where the file says nothing of it, that the bot takes nothing that customers show."""
    assert config.people is not None
    if config.people.proofs:
        document.report(("people", "proofs"), "needs secret_key: what customers show is recognised by a hash under it")
    elif config.people.proofs is None:
        what = "takes no subscription link and no config for a proof: that needs secret_key, or say proofs: false"
        document.warn(("people",), what)


def _check_bounces(document: Document, config: Config) -> None:
    """Report an inbox whose reports nobody could prove."""
    for name, sink in config.sinks.items():
        if config.secret_key is None and sink.inbox(None) is not None:
            what = "needs secret_key: make one with `openssl rand -base64 32`"
            document.report(("sinks", name, "bounces"), what, document.key_position(("sinks", name, "bounces")))


def _warn_of_letters(document: Document, config: Config) -> None:
    """Warn of mail to customers that has no link to stop it, which mail programs ask for."""
    if config.stop_links() is not None:
        return
    for name, sink in config.sinks.items():
        addressing = sink.addressing()
        writes_letters = isinstance(sink, ChatConfig) and sink.service.mailboxes
        if writes_letters and addressing is not None and addressing.audience is Audience.PERSON:
            what = "its letters have no link that stops them: that needs public_url, with https://, and secret_key"
            document.warn(("sinks", name), what)
