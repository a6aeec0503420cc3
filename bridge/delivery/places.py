"""Which sinks must be carried by the same process, because they share a limit. Pure."""

from collections.abc import Iterable, Mapping


def places(scopes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Sink → a word that is the same for all sinks that share a scope, be it through a third one.

    `scopes`: sink → the scopes of its limits.
    """
    word: dict[str, str] = {sink: sink for sink in scopes}
    first: dict[str, str] = {}  # scope → a sink that has it
    for sink in sorted(scopes):
        for scope in scopes[sink]:
            other = first.setdefault(scope, sink)
            mine, theirs = word[sink], word[other]
            if mine != theirs:
                word = {one: min(mine, theirs) if place in (mine, theirs) else place for one, place in word.items()}
    return word
