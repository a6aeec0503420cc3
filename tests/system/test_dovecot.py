"""A real IMAP server, Dovecot: what lies in its folder is read as the stand-in has it."""

import asyncio
import getpass
import grp
import os
import pwd
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bridge.sealing import Sealer
from bridge.sinks.email.address import mailbox_key
from bridge.sinks.email.imap import ImapServer
from bridge.sinks.email.inbox import EmailInbox
from bridge.sinks.email.letter_id import LetterIds
from bridge.sinks.inbox import InboxUnreadable
from tests.certificates import TRUSTED, certificate
from tests.processes import PATIENCE, free_port
from tests.services.imap import PASSWORD, USER
from tests.services.reports import SERVERS, a_letter, postfix
from tests.tools import needed

pytestmark = pytest.mark.process

BOB = "bob@example.net"
IDS = LetterIds("example.com", Sealer("a-key-of-thirty-two-signs-or-more"))
ID = IDS.make("0123456789abcdef", "019af3d2-8e41-7c06-9d6a-0123456789ab", mailbox_key(BOB))
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
  }}
}}
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:{folder}/mail
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's own user can reach: root's tests run it as that, for it reads no mail as root."""
    with TemporaryDirectory(prefix="dovecot-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@asynccontextmanager
async def a_dovecot(folder: Path) -> AsyncIterator[dict[bool, int]]:
    """A server that runs meanwhile: its port with TLS from the first byte, and the one with STARTTLS."""
    program, ports = needed("dovecot"), {True: free_port(), False: free_port()}
    names = ("dovecot", "dovenull") if os.getuid() == 0 else (getpass.getuser(),) * 2
    internal, login = map(pwd.getpwnam, names)
    (folder / "run").mkdir()
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    for place in ("new", "cur", "tmp"):
        (folder / "mail" / place).mkdir(parents=True)
    for one in (folder, *(folder / "mail").rglob("*"), folder / "mail"):
        os.chown(one, internal.pw_uid, internal.pw_gid)
    config = folder / "dovecot.conf"
    config.write_text(
        CONFIG.format(
            folder=folder, internal=internal.pw_name, login=login.pw_name, group=grp.getgrgid(internal.pw_gid).gr_name,
            uid=internal.pw_uid, gid=internal.pw_gid, plain=ports[False], tls=ports[True],
            certificate=certificate(folder, ends=datetime.now(UTC) + timedelta(days=1)),
        )
    )  # fmt: skip
    process = subprocess.Popen([program, "-F", "-c", config])
    try:
        await _listening(ports[True], process)
        yield ports
    finally:
        process.terminate()
        process.wait(PATIENCE)


async def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            assert process.poll() is None
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


def put(folder: Path, *letters: bytes) -> None:
    """Letters arrive in the maildir, one after the other."""
    for letter in letters:
        (folder / "mail" / "new" / f"{time.time_ns():020}.M.here").write_bytes(letter)


async def test_reports_are_found_in_a_real_inbox_and_marked_and_the_rest_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_dovecot(folder) as ports:
        monkeypatch.setenv(TRUSTED, str(folder / "certificate.pem"))
        put(folder, a_letter(), *(write(BOB, ID) for write in SERVERS.values()), postfix(BOB, "<1@example.com>"))
        state, since = None, datetime.now(UTC) - timedelta(days=6)
        for tls, encryption in ((True, "tls"), (False, "starttls")):
            server = ImapServer("127.0.0.1", ports[tls], encryption, USER, PASSWORD)  # type: ignore[arg-type]
            inbox = EmailInbox(server, "email", IDS)
            found = await inbox.look(state, since=since, within=PATIENCE)
            assert [one.place for one in found.bounces] == [mailbox_key(BOB)] * len(SERVERS)
            read = (await inbox.look(found.state, since=since, within=PATIENCE)).bounces
            assert read == []
        await inbox.set_read([one.number for one in found.bounces], within=PATIENCE)
        flags = [one.name.rpartition(":2,")[2] for one in (folder / "mail" / "cur").iterdir()]
        assert sorted(flags) == ["", ""] + ["S"] * len(SERVERS)
        for changed, said in ((("x", "INBOX"), "Authentication failed"), ((PASSWORD, "Nowhere"), "exist")):
            server = ImapServer("127.0.0.1", ports[True], "tls", USER, *changed)
            with pytest.raises(InboxUnreadable, match=said):
                await EmailInbox(server, "email", IDS).ask(within=PATIENCE)
