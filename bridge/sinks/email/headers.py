"""What stands in a letter's head in other letters than ASCII.

Why not EmailMessage: its encoded words grow longer than the 75 characters that RFC 2047 allows.
"""

from email.charset import BASE64, Charset
from email.header import Header

from bridge.sinks.text import one_line

#: In a form of our own: a library may change what the name stands for, as Apprise does for the whole process.
_UTF8 = Charset("utf-8")
_UTF8.header_encoding = BASE64
LINE = 76  # characters of a line of the head that holds encoded words


def encoded_words(text: str, name: str = "") -> str:
    """`text` for the header `name`: as it is where it is short ASCII, else in encoded words, folded."""
    line = one_line(text)
    if line.isascii() and len(name) + len(line) < LINE and "=?" not in line:
        return line
    return Header(line, _UTF8, maxlinelen=LINE - 1, header_name=name or "X" * 20).encode()
