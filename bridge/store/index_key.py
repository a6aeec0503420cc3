"""What an index keeps of a text that somebody else chose.

Why: PostgreSQL refuses a row whose text in an index has more than 2,704 bytes, and with it the commit that it is in.
Whatever is indexed and comes from outside, a subject or a fingerprint, is kept and looked for by its key, in every
table and on every engine alike.
"""

from hashlib import blake2b

LONGEST = 512  # bytes of a text that is its own key


def index_key(text: str) -> str:
    """The text itself where it is short, else its beginning and a digest of all of it. No two texts share a key."""
    if len(text) * 4 <= LONGEST:  # the common case, without encoding it
        return text
    raw = text.encode("utf-8", "replace")
    if len(raw) <= LONGEST:
        return text
    return f"{raw[:LONGEST].decode('utf-8', 'replace')}…{blake2b(raw, digest_size=16).hexdigest()}"


def index_key_or_none(text: str | None) -> str | None:
    return None if text is None else index_key(text)
