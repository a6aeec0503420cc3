"""That there is nothing of that name: in English for programs and commands, and in the language of a page."""

from bridge.admin.language import Language
from bridge.admin.wording.isolates import isolated
from bridge.errors import BridgeError


class NotThere(BridgeError):
    """There is no such thing to show: `text` says which, as the catalogs have it, with `values` for its `%(name)s`."""

    def __init__(self, text: str = "", **values: object) -> None:
        self._text, self._values = text, values
        super().__init__(text % values if values else text)

    def sentence(self, words: Language) -> str:
        """The same in that language."""
        values = {name: isolated(words, str(value)) for name, value in self._values.items()}
        return words.say(self._text, **values) if self._text else ""
