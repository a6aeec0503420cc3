"""What each sink of `init` is told: by the command, a file or the environment, else by who types; and then asked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.console import FINDING_MARKS
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.cli.dialogue import Dialogue
    from bridge.sinks import SinkSettings
    from bridge.sinks.http import Http
    from bridge.sinks.questions import Finder, FoundValue, SetupQuestion
    from bridge.sinks.reachability import Finding

SinkAnswers = dict[str, object]

WAIT = 120.0  # seconds in which somebody may write to the bot
WITHIN = 10.0  # seconds that a service may take to answer


async def chosen_sinks(
    types: Sequence[str],
    given: Sequence[str],
    secret_files: Sequence[str],
    dialogue: "Dialogue",
    env: Mapping[str, str],
) -> dict[str, SinkAnswers]:
    """Each sink with all that it has to be told. Raise BridgeError where that cannot be, or something is left over."""
    from bridge.sinks.http import Http

    named = _named(types, given, secret_files)
    http = Http()
    try:
        return {
            type_: await _Sink(type_, named.get(type_, {}), dialogue, env, http).settings()
            for type_ in dict.fromkeys(types)
        }
    finally:
        await http.close()


class _Sink:
    """One of them, while it is being told."""

    def __init__(
        self, type_: str, given: SinkAnswers, dialogue: "Dialogue", env: Mapping[str, str], http: "Http"
    ) -> None:
        self._type, self._dialogue, self._http = type_, dialogue, http
        self._given = {**dict(_from_environment(type_, env)), **given}

    async def settings(self) -> SinkAnswers:
        from bridge.setup.plan import missing
        from bridge.setup.questions import QUESTIONS

        told = dict(self._given)
        while missing(self._type, told):
            question = next(one for one in QUESTIONS[self._type] if one.setting not in told)
            told[question.setting] = await self._answer(question, told)
            self._take_back_what_cannot_be(question, told)
        return await self._confirmed(told)

    def _take_back_what_cannot_be(self, question: "SetupQuestion", told: SinkAnswers) -> None:
        """Who types may mistype: he is told, and asked again."""
        from bridge.setup.plan import checked_sink, missing

        try:
            if not missing(self._type, told):
                checked_sink(self._type, told)
        except BridgeError as error:
            if self._dialogue.silent:
                raise
            self._dialogue.say(f"  ✗ {str(error).removeprefix('init: ')}")
            del told[question.setting]

    async def _answer(self, question: "SetupQuestion", told: SinkAnswers) -> object:
        from bridge.setup.questions import is_secret, variable

        if question.finder is not None:
            return await self._found(question, question.finder, told)
        name = f"{self._type}.{question.setting}"
        if is_secret(self._type, question.setting):
            option = (
                f"{name}: --secret-file {name}=FILE, or {variable(self._type, question.setting)} in the environment,"
            )
        else:
            option = self._option(question)
        return self._dialogue.text(question.text, option, hidden=is_secret(self._type, question.setting))

    def _option(self, question: "SetupQuestion") -> str:
        return f"--set {self._type}.{question.setting}=…"

    async def _found(self, question: "SetupQuestion", finder: "Finder", told: SinkAnswers) -> object:
        """What the service itself says while somebody does what is asked of him; typed where that cannot be."""
        from bridge.clock import SystemClock

        self._dialogue.say(question.doing)
        found: Sequence[FoundValue] = ()
        try:
            found = await finder(told, self._http, SystemClock(), within=WAIT)
        except BridgeError as error:
            if self._dialogue.silent:
                raise
            self._dialogue.say(f"  {str(error).removeprefix(f'init: {self._type}: ')}")
        if not found:
            return int(self._dialogue.text(question.text, self._option(question)))
        return self._chosen(question, found).value

    def _chosen(self, question: "SetupQuestion", found: "Sequence[FoundValue]") -> "FoundValue":
        """The one that was found; of several the one that is meant. Nobody is told by a guess."""
        if len(found) > 1:
            names = {str(one.value): f'"{one.name}" ({one.value})' for one in found}
            option = self._option(question)
            if self._dialogue.silent:
                raise BridgeError(f"init: {self._type}: several: {', '.join(names.values())}: {option}")
            [first, *_] = self._dialogue.choices("Which one?", names, option)
            return next(one for one in found if str(one.value) == first)
        self._dialogue.say(f'  ✓ found "{found[0].name}" ({found[0].value})')
        return found[0]

    async def _confirmed(self, told: SinkAnswers) -> SinkAnswers:
        """Asked, and told what came of it; where it cannot be reached, by a proxy if there is one."""
        from bridge.setup.plan import checked_sink
        from bridge.sinks.reachability import FindingMark

        while True:
            finding = await self._asked(checked_sink(self._type, told))
            self._dialogue.say(f"  {FINDING_MARKS[finding.mark]} {self._type}: {finding.text}")
            if (
                finding.mark is not FindingMark.WRONG
                or self._dialogue.silent
                or not finding.text.startswith("no answer")
            ):
                return told
            proxy = self._dialogue.text(
                "Proxy to reach it by, as socks5://127.0.0.1:1080 (Enter: none)", "", default=""
            )
            if not proxy:
                return told
            told["proxy"] = proxy

    async def _asked(self, settings: "SinkSettings") -> "Finding":
        from bridge.panels import DIALECTS
        from bridge.sinks.base import Tools

        return await settings.open(Tools(self._http, DIALECTS)).asked(within=WITHIN)


def _named(types: Sequence[str], given: Sequence[str], secret_files: Sequence[str]) -> dict[str, SinkAnswers]:
    from bridge.setup.files import first_line
    from bridge.setup.questions import is_secret

    named: dict[str, SinkAnswers] = {}
    for word in given:
        type_, setting, value = _parts("--set", word, types)
        if is_secret(type_, setting):
            name = f"{type_}.{setting}"
            raise BridgeError(
                f"init: {name} is a secret, and everyone can read commands: give --secret-file {name}=FILE"
            )
        named.setdefault(type_, {})[setting] = int(value) if value.removeprefix("-").isdecimal() else value
    for word in secret_files:
        type_, setting, value = _parts("--secret-file", word, types)
        named.setdefault(type_, {})[setting] = first_line(Path(value), f"{type_}.{setting}")
    return named


def _parts(option: str, word: str, types: Sequence[str]) -> tuple[str, str, str]:
    from bridge.config.errors import suggestion
    from bridge.setup.questions import settings_of

    name, equals, value = word.partition("=")
    type_, dot, setting = name.partition(".")
    if not equals or not dot:
        raise BridgeError(f"init: {option} should be SINK.SETTING=…, as in webhook.format=event")
    if type_ not in types:
        raise BridgeError(f"init: {option} {name}: no --sink {type_} is asked for")
    if setting not in (fields := list(settings_of(type_))):
        raise BridgeError(f"init: {option} {name}: {type_} has no such setting: {suggestion(setting, fields)}")
    return type_, setting, value


def _from_environment(type_: str, env: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    from bridge.setup.questions import QUESTIONS, variable

    for question in QUESTIONS[type_]:
        with suppress(KeyError):
            yield question.setting, env[variable(type_, question.setting)]
