"""Asking the person who types: what was given in the command is not asked for, and with --yes nothing is."""

from collections.abc import Mapping, Sequence

import typer

from bridge.cli.console import printable_lines
from bridge.errors import BridgeError


class Dialogue:
    """`silent`: nobody is asked; what has no answer of its own is missing, by the name of its option."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    def text(self, question: str, option: str, *, default: str | None = None, hidden: bool = False) -> str:
        """One line; what is hidden is not shown while it is typed."""
        if self.silent:
            if default is None:
                raise BridgeError(f"init: {option} is missing")
            return default
        answer: str = typer.prompt(f"{question}{', not shown' if hidden else ''}", default=default, hide_input=hidden)
        return answer.strip()

    def choices(self, question: str, of: Mapping[str, str], option: str) -> list[str]:
        """One or several of these, by number or by name; `of`: name → what it is called."""
        numbered = "   ".join(f"{number} {called}" for number, called in enumerate(of.values(), start=1))
        while True:
            answer = self.text(f"{question}\n  {numbered}\n  (several: 1 2)", option)
            chosen, unknown = _chosen(answer.replace(",", " ").split(), list(of))
            if chosen and not unknown:
                return chosen
            self.say(f"  no such one: {' '.join(unknown) or answer}")

    def choice(self, question: str, of: Sequence[str], option: str, *, default: str) -> str:
        """One of these."""
        while (answer := self.text(f"{question} ({', '.join(of)})", option, default=default)) not in of:
            self.say(f"  no such one: {answer}")
        return answer

    def confirm(self, question: str, *, default: bool) -> bool:
        return default if self.silent else typer.confirm(question, default=default)

    def say(self, line: str = "") -> None:
        print(printable_lines(line), flush=True)


def _chosen(words: Sequence[str], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names that are meant, each once, and the words that mean none."""
    chosen: dict[str, None] = {}
    unknown = []
    for word in words:
        if word in names:
            chosen[word] = None
        elif word.isdecimal() and 0 < int(word) <= len(names):
            chosen[names[int(word) - 1]] = None
        else:
            unknown.append(word)
    return list(chosen), unknown
