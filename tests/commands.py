"""A file to type commands at, and what typing them gives."""

from collections.abc import Callable

import pytest

from bridge.cli import main

SECRET = "s3cr3t-s3cr3t-s3cr3t"
FILE = f"""\
listen: 127.0.0.1:8080
public_url: https://bridge.example.com/vpn
sources:
  marzban: {{panel: marzban, secret: {SECRET}}}
  reports: {{panel: discord, secret: {SECRET}}}
sinks:
  ops: {{type: discord, url: https://discord.example.com/api/webhooks/1/{SECRET}}}
  night: {{type: telegram, token: "123456:{SECRET}{SECRET}", chat_id: -5}}
  shop: {{type: webhook, url: https://shop.example.com/, format: marzban, secret: {SECRET}}}
  here: {{type: console, format: slack}}
  off: {{type: console, enabled: false}}
routes:
  - {{match: user.*, to: [ops, off]}}
  - {{match: [user.expired, !user.login], source: marzban, when: data.owner == 'reseller-7',
     to: [night, shop], stop: yes}}
  - {{match: node.*, to: here}}
"""


#: The words of a command → its exit status, and what it printed to standard output and standard error.
Run = Callable[..., tuple[int, str, str]]


def typed_by(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            main([str(arg) for arg in args])
        told = capsys.readouterr()
        return int(raised.value.code or 0), told.out, told.err

    return run
