"""Hostile texts, and what must not be left of them."""

from collections.abc import Mapping

from hypothesis import strategies as st

from tests.services.every import CHATS

#: What people have been called, or might be.
HOSTILE = (
    "<!channel>",
    "<!here|here>",
    "<!subteam^S123>",
    "<@U123>",
    "<@!80351110224678912>",
    "<@&165511591545143296>",
    "<#103735883630395392>",
    "<:name:123>",
    "<t:1618953630:F>",
    "</airhorn:816437322781949972>",
    "@everyone",
    "abc@everyone",
    "@here",
    "abc_@here",
    "@channel",
    "@durov",
    "x @durov",
    "(@durov)",
    "é@durov",
    "a_b_c__d_",
    "*_~|#>[x](http://evil)",
    "[click](https://evil.example)",
    "https://evil.example/a_b_c",
    "tg://user?id=1",
    "tg://resolve?domain=durov",
    "{{7*7}}",
    "{% raw %}",
    "</b>",
    "<b>bold</b>",
    "<a href='tg://user?id=1'>x</a>",
    "&lt;&amp;&#64;durov",
    "**bold** __under__ ~~gone~~ `code` ||spoiler||",
    "```\ncode\n```",
    "# heading",
    "-# small",
    "- list",
    "1. list",
    "> quote",
    ">>> quote",
    "back\\slash\\",
    "line\r\nbreak\u2028forged: yes",
    "\u202eright to left",
    "\u2068isolated",
    "\x1efield\x1fvalue",
    "zalgo" + "\u0301" * 50,
    "*",
    "@",
    "<",
    "`",
    "\\",
    "  ",
    "😀 کاربر",
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40), st.lists(st.sampled_from(HOSTILE)).map(" ".join))


def harmless(service: str, blocks: Mapping[str, str]) -> None:
    """Fail where the blocks of a message ping anybody or break the service's markup."""
    for block in blocks.values():
        CHATS[service].harmless(block)
