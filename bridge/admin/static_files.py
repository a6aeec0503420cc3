"""The files that pages bring along, each under the hash of what is in it: a browser keeps it for good."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
#: Every file that there is, and what it is; what is not named here is not served.
TYPES = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "previews.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@cache
def content(name: str) -> bytes:
    """What is in one of TYPES."""
    return (FOLDER / name).read_bytes()


@cache
def hashed(name: str) -> str:
    """The path of one of TYPES: `/static/{hash}/{name}`."""
    return f"/static/{sha256(content(name)).hexdigest()[:12]}/{name}"
