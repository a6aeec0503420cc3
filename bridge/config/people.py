"""The bot that customers write to: which sink's it can be."""

from bridge.config.document import Document
from bridge.config.errors import suggestion
from bridge.config.model import Config
from bridge.people.recipient import Audience


def check_people(document: Document, config: Config) -> None:
    """Report what is wrong between `people` and the sinks."""
    name = None if config.people is None else config.people.bot
    if name is None:
        return
    path, sinks = ("people", "bot"), config.all_sinks()
    if (sink := sinks.get(name)) is None:
        document.report(path, f'no sink named "{name}": {suggestion(name, list(sinks))}')
    elif sink.ears() is None:
        document.report(path, f'sink "{name}" is of a service whose people cannot write to it')
    elif (addressing := sink.addressing()) is None or addressing.audience is not Audience.PERSON:
        document.report(path, f'sink "{name}" is not addressed to users: name one whose address speaks of person')
