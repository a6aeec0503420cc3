"""By which roots a service's certificate is proved: the machine's, and for a sink with `ca` those of its file besides.

A file is read again when it changes, and holds for whoever named it: nothing is ever trusted for the whole process.
What cannot be read any more changes nothing, for a file is seen half written, too.

Source   docs.python.org/3/library/ssl.html (load_verify_locations), RFC 7468 (PEM)
"""

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from bridge.redaction import redacted_path

LARGEST = 2**20  # bytes: all the roots that a system has are a quarter of it
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

#: What tells a file that was changed from the one that was read: where it lies, when it was written, how long it is.
_Stamp = tuple[int, int, int]


class NoRoots(ValueError):
    """There are none in a file. The text says why, without its name."""


@dataclass
class Trust:
    """The contexts in which certificates are proved, one for each file; those without one share one."""

    _known: dict[Path | None, tuple[_Stamp | None, ssl.SSLContext]] = field(default_factory=dict)

    def of(self, ca: Path | None) -> ssl.SSLContext:
        """The context for the connections of whoever named that file. Raise NoRoots where it could never be read."""
        stamp = _stamp(ca) if ca is not None else None
        if ca in self._known and (ca is None or self._known[ca][0] == stamp):
            return self._known[ca][1]
        try:
            context = _context(ca)
        except NoRoots:
            if ca not in self._known:
                raise
            context = self._known[ca][1]
        self._known[ca] = stamp, context
        return context


def read_roots(file: Path) -> str:
    """The certificates of a PEM file. Raise NoRoots where there are none, or one of them cannot be read."""
    try:
        if not S_ISREG((about := file.stat()).st_mode):
            raise NoRoots("should be a file")
        if about.st_size > LARGEST:
            raise NoRoots(f"has more than {LARGEST // 2**20} MiB: give the roots of this one service")
        text = file.read_bytes().decode("ascii", "replace")
    except OSError as error:
        raise NoRoots(f"cannot be read: {(error.strerror or 'it is no file').lower()}") from None
    roots = "\n".join(_CERTIFICATE.findall(text))
    if not roots:
        raise NoRoots("has no certificate in it: it should be a PEM file, with -----BEGIN CERTIFICATE-----")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=roots)
    except ssl.SSLError:
        raise NoRoots("has a certificate in it that cannot be read") from None
    return roots


def _context(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(cadata=read_roots(ca))
    return context


def _stamp(file: Path) -> _Stamp | None:
    with suppress(OSError):
        about = file.stat()
        return about.st_ino, about.st_mtime_ns, about.st_size
    return None


def _beside_the_settings(value: Path, info: ValidationInfo) -> Path:
    file: Path = (info.context or {}).get("folder", Path()) / value
    try:
        read_roots(file)
    except NoRoots as fault:
        raise ValueError(f'"{redacted_path(str(value)[:200])}" {fault}') from None
    return file


#: A file with roots, beside the settings.
RootsFile = Annotated[Path, AfterValidator(_beside_the_settings)]
