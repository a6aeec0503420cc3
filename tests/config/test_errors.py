"""Every mistake at once, at its place, with what to do about it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import reduce
from itertools import cycle
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from bridge.config.document import Document
from bridge.config.errors import report_errors
from bridge.config.load import load
from bridge.config.model import Config
from bridge.errors import ConfigError
from bridge.sinks.chats import SERVICES
from tests.certificates import authority
from tests.config.files import SINK, loaded, mistakes
from tests.config.test_example import models

SOURCE = "sources:\n  m: {panel: marzban, secret: x}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # keys
        ("tempaltes: x", '1:1: unknown key "tempaltes": did you mean "templates"?'),
        (
            "sinks:\n  ops: {type: console, tmeout: 3}",
            '2:24: sink "ops": unknown key "tmeout": did you mean "timeout"?',
        ),
        (
            "sinks:\n  ops: {type: console, retry: {max_retry: 3}}",
            '2:32: sink "ops": retry: unknown key "max_retry": did you mean "max_retries"?',
        ),
        (
            SINK + "routes:\n  - {to: ops, bundle: 60s}",
            '4:15: route 1: unknown key "bundle": there are audience, category, critical, digest, fallback, '
            "fallback_after, hold, match, max_per_day, quiet, repeat, source, stop, template, to, update, when",
        ),
        (
            SINK + "routes:\n  - {to: ops, digest: {window: 60s, maximum: 5}}",
            '4:37: route 1: digest: unknown key "maximum": did you mean "max"?',
        ),
        (
            SINK + "routes:\n  - {to: ops, quiet: {hours: 22-7}}",
            "4:30: route 1: quiet.hours should be two times of the day, as in 22:00-07:00",
        ),
        (SINK + "routes:\n  - {to: ops, fallback: opps}", '4:25: route 1: no sink named "opps": did you mean "ops"?'),
        (
            SINK + "routes:\n  - {to: ops, fallback: ops}",
            '4:25: route 1: "ops" gets the event anyway: let it fall back to another sink',
        ),
        (
            "sinks:\n  zap: {type: gohighlevel, url: 'https://x.example/hooks/y/webhook-trigger/z'}\n"
            "routes:\n  - {to: zap, digest: {window: 60s}}",
            '4:10: route 1: "zap" takes every event by itself: it has no digests',
        ),
        (
            "sources:\n  m: {panel: marzban}",
            '2:6: source "m": missing key "secret": give a secret, or write "secret: none" if there really is none',
        ),
        (
            "sinks:\n  ops: {type: zapier}",
            '2:8: sink "ops": missing key "url": the catch hook\'s URL',
        ),
        ("routes:\n  - match: user.*", '2:5: route 1: missing key "to": the sinks that get the event'),
        (SINK + "alerts: {to: [ops, nigth]}", '3:20: alerts: no sink named "nigth": there are ops'),
        (
            SINK + 'reports: {morning: {at: "09:00", to: opps}}',
            '3:38: reports.morning: no sink named "opps": did you mean "ops"?',
        ),
        (
            SINK + 'reports: {morning: {at: "24:00", to: ops}}',
            '3:25: reports.morning.at should be a time of the day from "00:00" to "23:59"',
        ),
        (
            SINK + "reports: {morning: {at: noon, to: ops}}",
            '3:25: reports.morning.at should be a time of the day in quotes, such as "09:00"',
        ),
        (
            SINK + 'reports: {morning: {at: "09:00", to: ops, by: [owners]}}',
            '3:48: reports.morning.by[0] should be type, owner, node or user: did you mean "owner"?',
        ),
        (
            SINK + 'reports: {morning: {at: "09:00", to: ops, weekday: mon}}',
            "3:20: reports.morning: weekday is for a week: write every: week, or leave it out",
        ),
        (
            SINK + 'reports: {morning: {at: "09:00", to: ops, day: 1}}',
            "3:20: reports.morning: day is for a month: write every: month, or leave it out",
        ),
        (
            SINK + 'reports: {morning: {every: week, at: "09:00", to: ops, calendar: jalali}}',
            "3:20: reports.morning: calendar is for a month: write every: month, or leave it out",
        ),
        (
            SINK + 'reports: {month: {every: month, at: "09:00", to: ops, day: 29}}',
            "3:60: reports.month.day should be at most 28",
        ),
        (
            SINK + 'reports: {month: {every: month, at: "09:00", to: ops, day: 0}}',
            "3:60: reports.month.day should be at least 1",
        ),
        (
            SINK + 'reports: {month: {every: month, at: "09:00", to: ops, calendar: persian}}',
            "3:65: reports.month.calendar should be gregorian or jalali",
        ),
        (SINK + 'reports: {morning: {at: "09:00", to: []}}', "3:38: reports.morning.to should not be empty"),
        (
            SINK + 'reports: {morning: {at: "09:00", to: ops, every: hour}}',
            "3:50: reports.morning.every should be day, week or month",
        ),
        (SINK + "alerts: {to: opps}", '3:14: alerts: no sink named "opps": did you mean "ops"?'),
        (SINK + "alerts: {to: []}", "3:14: alerts.to should not be empty"),
        (SINK + "alerts: ops", "3:9: alerts should be a mapping, as in {to: ops}"),
        (SINK + "alerts: {to: ops, window: 2d}", "3:27: alerts.window should be at most 86400"),
        (
            "sources:\n  panelbridge: {panel: marzban, secret: x}",
            '2:3: sources: no source can be called "panelbridge": under that name the bridge tells of itself',
        ),
        *(
            (
                f"sources:\n  m: {{panel: marzban, secret: x, silent_after: {given}}}",
                '2:48: source "m": silent_after should be a duration such as 30m or 6h, or the word auto',
            )
            for given in ("soon", "Auto", "-5", "[6h]", "true")
        ),
        (
            "sources:\n  m: {panel: marzban, secret: x, silent_after: 0s}",
            '2:48: source "m": silent_after should be more than 0',
        ),
        # panels and services
        (
            "sources:\n  m: {panel: marzbn, secret: x}",
            '2:14: source "m": panel: "marzbn" is unknown: did you mean "marzban"?',
        ),
        (
            "sources:\n  m: {secret: x}",
            '2:6: source "m": missing key "panel": there are 3x-ui, alertmanager, bedolaga, cloudevents, '
            "defguard, discord, json, marzban, marzneshin, orbvpn, pasarguard, rebecca, remnawave, tailscale, "
            "uptimekuma, wgdashboard, wgportal",
        ),
        (
            "sinks:\n  ops:\n    type: discrod\n    url: https://x",
            '3:11: sink "ops": type: "discrod" is unknown: did you mean "discord"?',
        ),
        (
            "sinks:\n  ops: {type: [discord]}",
            '2:15: sink "ops": type should be one word, not a list: did you mean "discord"?',
        ),
        (
            "sinks:\n  ops: {type: console, console: {timeout: 5}, timeout: soon}",
            '2:24: sink "ops": unknown key "console": there are ca, color\n'
            '2:56: sink "ops": timeout should be a duration such as 30s',
        ),
        # kinds of value
        ("sources:\n  m: marzban", '2:6: source "m" should be a mapping, as in `key: value`'),
        ("sources: [m]", "1:10: sources should be a mapping, as in `key: value`"),
        ("sinks:\n  - type: console", "2:3: sinks should be a mapping, as in `key: value`: each sink under its name"),
        ("routes: {to: ops}", "1:9: routes should be a list of rows, each behind a dash, as in `- to: ops`"),
        ("routes:\n  one: {to: ops}", "2:3: routes should be a list of rows, each behind a dash, as in `- to: ops`"),
        ("routes: ops", "1:9: routes should be a list of rows, each behind a dash, as in `- to: ops`"),
        ("webhooks:\n  name: x", "2:3: webhooks should be a list, each behind a dash, as in `- name: Sales`"),
        (
            "sinks:\n  ops:\n    type console",
            '3:5: sink "ops" should be a mapping, as in `key: value`: one in a line, with a space behind the colon',
        ),
        (
            "sinks:\n  ops:\n    type:console",
            '3:5: sink "ops" should be a mapping, as in `key: value`: one in a line, with a space behind the colon',
        ),
        (
            "sources:\n  m:\nsinks:\n  ops: {type: console}",
            '2:5: source "m" is empty: its own settings stand below it, indented further than its name',
        ),
        *(
            (
                f"sinks:\n  ops: {{type: console, quiet: {given}}}",
                f'2:31: sink "ops": quiet should be a mapping, as in {meant}',
            )
            for given, meant in (
                ("'23:00-07:00'", "{hours: 23:00-07:00}"),
                ("night", "{hours: 22:00-07:00}"),
                ("true", "{hours: 22:00-07:00}"),
            )
        ),
        *(
            (
                SINK + f"routes:\n  - {{to: ops, digest: {given}}}",
                f"4:23: route 1: digest should be a mapping, as in {meant}",
            )
            for given, meant in (("10m", "{window: 10m}"), ("90", "{window: 90}"), ("daily", "{window: 60s}"))
        ),
        (
            "sinks:\n  ops: {type: console, retry: 5}",
            '2:31: sink "ops": retry should be a mapping, as in {max_retries: 5}',
        ),
        (
            "sinks:\n  ops: {type: console, storm: 50}",
            '2:31: sink "ops": storm should be a mapping, as in {backlog: 50}',
        ),
        ("log: debug", "1:6: log should be a mapping, as in {level: debug}"),
        ("limits: 5MiB", "1:9: limits should be a mapping, as in {body: 5MiB}"),
        # one text
        ("sinks:\n  ops: {type: discord, url: ['https://x']}", '2:29: sink "ops": url should be one text, not a list'),
        ("sinks:\n  ops: {type: zapier, url: {a: b}}", '2:28: sink "ops": url should be one text, not a mapping'),
        ("sinks:\n  ops: {type: zapier, url: }", '2:28: sink "ops": url is empty'),
        (
            "public_url: [https://x]\ntemplates: [x]",
            "1:13: public_url should be one text, not a list\n2:12: templates should be",
        ),
        ("sinks:\n  ops: {type: null}", '2:15: sink "ops": type is empty: there are apprise, bale, console, '),
        (
            "sources:\n  m: {panel: {a: 1}}",
            '2:14: source "m": panel should be one word: there are 3x-ui, alertmanager, ',
        ),
        (
            "sources:\n  m: {panel: true}",
            '2:14: source "m": panel should be one word: there are 3x-ui, alertmanager, ',
        ),
        ("routes:\n  - ops", "2:5: route 1 should be a mapping, as in `key: value`"),
        ("sinks:\n  ops: {type: console, enabled: maybe}", '2:33: sink "ops": enabled should be true or false'),
        (
            "sinks:\n  ops: {type: console, timeout: soon}",
            '2:33: sink "ops": timeout should be a duration such as 30s, 5m, 12h or 30d',
        ),
        *(
            (
                f"sinks:\n  ops: {{type: console, rate: {rate}}}",
                f'2:30: sink "ops": rate should {said}',
            )
            for rate, said in (
                ("1000001/s", "be 1,000,000 at the most in one period; for no limit, write unlimited"),
                (f"{'9' * 20}/s", "be 1,000,000 at the most in one period; for no limit, write unlimited"),
                ("1000001", "be 1,000,000 at the most in one period; for no limit, write unlimited"),
                ("9" * 20, "be a rate such as 10/s or 30/min, a list of them, or the word unlimited"),
                (f"1/{'9' * 20}d", "have a period of more than 0 s and at most 366 days"),
                ("1/0s", "have a period of more than 0 s and at most 366 days"),
                ("0.00000001", "be a rate such as 10/s or 30/min, a list of them, or the word unlimited"),
                (f"{'9' * 5000}/s", "be a rate such as 10/s or 30/min, a list of them, or the word unlimited"),
            )
        ),
        (
            "sinks:\n  ops: {type: console, rate: []}",
            '2:30: sink "ops": rate should not be empty: for no limit, write unlimited',
        ),
        (
            "sinks:\n  ops: {type: telegram, token: '1:x', chat_id: '{{ owner.telegram }}', rate_each: []}",
            '2:83: sink "ops": rate_each should not be empty: for no limit, write unlimited',
        ),
        (
            "sinks:\n  ops: {type: console, rate: fast}",
            '2:30: sink "ops": rate should be a rate such as 10/s or 30/min, a list of them, or the word unlimited',
        ),
        (
            "sinks:\n  ops: {type: console, retry: {max_retries: x, waits: [], jitter: 2}}",
            '2:45: sink "ops": retry.max_retries should be a whole number\n'
            '2:55: sink "ops": retry.waits should not be empty\n'
            '2:67: sink "ops": retry.jitter should be at most 1',
        ),
        ("sinks:\n  ops: {type: console, timeout: 0}", '2:33: sink "ops": timeout should be more than 0'),
        (
            "sinks:\n  ops: {type: console, format: slakc}",
            f'2:32: sink "ops": format should be {", ".join(SERVICES)} or event: did you mean "slack"?',
        ),
        ("limits: {body: huge}", "1:16: limits.body should be a size such as 512KiB or 32MiB"),
        ("log: {level: verbose}", "1:14: log.level should be debug, info, warning or error"),
        ("keep: 0", "1:7: keep should be more than 0"),
        ("keep: {owner: 0}", "1:15: keep.owner should be more than 0"),
        ("keep: {user: 1d}", "1:14: keep.user should be at least 2d: what a customer was told today is counted in it"),
        ("keep: {users: 7d}", '1:8: keep: unknown key "users": did you mean "user"?'),
        (
            "sources:\n  m: {panel: marzban, secret: true}",
            '2:31: source "m": secret should be a secret, a list of secrets, or the word none',
        ),
        (
            "sources:\n  m:\n    panel: marzban\n    secret:",
            '4:12: source "m": secret is empty: give a secret, or write `secret: none` if there really is none',
        ),
        (
            "sinks:\n  ops: {type: slack}",
            '2:8: sink "ops": give either url, or token and channel',
        ),
        # names
        (
            'sinks:\n  "my sink": {type: console}',
            '2:3: sink "my sink" is not a name: begin with a letter or digit, then letters, digits and . _ -',
        ),
        (SINK + "routes:\n  - to: opps", '4:9: route 1: no sink named "opps": did you mean "ops"?'),
        (SINK + "routes:\n  - to: [ops,\n         zebra]", '5:10: route 1: no sink named "zebra": there are ops'),
        ("routes:\n  - to: ops", '2:9: route 1: no sink named "ops": there are none'),
        (
            SOURCE + SINK + "routes:\n  - {to: ops}\n  - {to: ops, source: [m, n]}",
            '7:27: route 2: no source named "n": there are m',
        ),
        # types
        (
            SINK + "routes:\n  - {to: ops, match: user.creatd}",
            '4:22: route 1: no event has the type "user.creatd": did you mean "user.created"?',
        ),
        (
            SINK + "routes:\n  - {to: ops, match: [user.*, !user.exipred]}",
            '4:31: route 1: no event has the type "user.exipred": did you mean "user.expired"?',
        ),
        (
            SINK + "routes:\n  - {to: ops, match: user_expird}",
            '4:22: route 1: no event has the type "user_expird": did you mean "user_expired"?',
        ),
        # expressions
        (
            SINK + "routes:\n  - to: ops\n    when: owner == 'x'",
            "5:11: route 1: when speaks of owner, which is not there: write data.owner",
        ),
        (
            SINK + "routes:\n  - to: ops\n    when: data.owner =",
            "5:11: route 1: when is not a Jinja expression: there is more after its end",
        ),
        *(
            (SINK + f'routes:\n  - to: ops\n    when: "{when}"', f"5:11: route 1: when {why}")
            for when, why in (
                ("data.a = 'b'", "is not a Jinja expression: there is more after its end; to compare write =="),
                (
                    "data.a = data.b or data.c",
                    "is not a Jinja expression: there is more after its end; to compare write ==",
                ),
                ("data.a === 'b'", "is not a Jinja expression: unexpected '='; to compare write =="),
                ("data.a && data.b", "is not a Jinja expression: unexpected char '&' at 7; write and"),
                ("data.a || data.b", "is not a Jinja expression: expected token 'name', got '|'; write or"),
                ("!data.a", "is not a Jinja expression: unexpected char '!' at 0; write not"),
                ("data.a == null", "speaks of null, which is not there: write none"),
                ("data.a | lowercase", "is not a Jinja expression: No filter named 'lowercase': did you mean lower?"),
                ("data.a | size > 2", "is not a Jinja expression: No filter named 'size': did you mean length?"),
                ("data.a is numeric", "is not a Jinja expression: No test named 'numeric'"),
                ("data.a == '=' and", "is not a Jinja expression: unexpected 'end of template'"),
            )
        ),
        (
            "sinks:\n  ops: {type: discord, url: 'https://x', thread_name: '{{ type|lowercase }}'}",
            '2:55: sink "ops": thread_name is no template: inline:1: '
            "No filter named 'lowercase': did you mean lower?",
        ),
        # indentation
        *(
            (text, f"{where}: not YAML: the line is indented by {what} spaces")
            for text, where, what in (
                (
                    "sinks:\n  ops:\n    type: console\n   color: true",
                    "4:4",
                    "3, and nothing that it could belong to is: indent it by 2 or 4",
                ),
                (
                    "sinks:\n  ops:\n    type: console\n      color: true",
                    "4:7",
                    "6, and nothing that it could belong to is: indent it by 4",
                ),
                (
                    "sinks:\n  a: {type: console}\n b: {type: console}",
                    "3:2",
                    "1, and nothing that it could belong to is: indent it by 0 or 2",
                ),
                (
                    "routes:\n  - to: ops\n   match: user.*",
                    "3:4",
                    "3, and nothing that it could belong to is: indent it by 2 or 4",
                ),
                (
                    "routes:\n  - to: ops\n      match: user.*",
                    "3:7",
                    "6, and nothing that it could belong to is: indent it by 4",
                ),
                (
                    "routes:\n  - to: ops\n    match:\n      - a\n     - b",
                    "5:6",
                    "5, and nothing that it could belong to is: indent it by 4 or 6",
                ),
                ("keep: 1d\n\n# so\n  locale: en", "4:3", "2, and nothing that it could belong to is: indent it by 0"),
                (" keep: 1d\nlocale: en", "2:1", "0, and nothing that it could belong to is: indent it by 1"),
            )
        ),
        ("sinks:\n  ops:\n    type: console\n    color\n", "4:5: not YAML: this line has no `: ` behind its key"),
        ("keep: a: b", '1:8: not YAML: mapping values are not allowed here; put a text that holds ": " in quotes'),
        # top level
        ("listen: 8080", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("listen: '::1:80'", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("keep: .nan", "1:7: keep should be a duration such as 30s, 5m, 12h or 30d"),
        ("keep: .inf", "1:7: keep should be a duration such as 30s, 5m, 12h or 30d"),
        (f"keep: {'9' * 20}d", "1:7: keep should be a duration of at most a hundred years"),
        (f"keep: {'9' * 5000}", "1:7: keep should be a duration of at most a hundred years"),
        (f"limits: {{body: {'9' * 20}}}", "1:16: limits.body should be a size of at most 8 PiB"),
        (f"limits: {{body: '{'9' * 5000}GiB'}}", "1:16: limits.body should be a size of at most 8 PiB"),
        (f"listen: x:{'9' * 5000}", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("listen: x:99999", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("listen: '[::1'", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("listen: '[::1:80'", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("listen: '[x]:80'", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        ("listen: 'a b:80'", "1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080"),
        *(
            (f"{before}'{address}'{after}", f"{place} should be an address that begins with http:// or https://")
            for before, after, place in (
                ("public_url: ", "", "1:13: public_url"),
                ("admin: {url: ", "}", "1:14: admin.url"),
            )
            for address in ("http://[::1", "https://[admin.example.com", "https://x:y", "https://x:99999", "https:///a")
        ),
        (
            "sinks: {m: {type: email, from: a@b.example, to: c@b.example, server: '[[]'}}",
            '1:70: sink "m": server should be the name of a host alone, as smtp.example.com',
        ),
        (
            f"sinks: {{n: {{type: ntfy, topic: t, click: '{{{{ {'9' * 5000} }}}}'}}}}",
            '1:42: sink "n": click is no template: has a number of too many digits',
        ),
        (
            f"{SINK}routes: [{{to: ops, when: '{'9' * 5000}'}}]",
            "3:26: route 1: when is not a Jinja expression: it has a number of too many digits",
        ),
        ("timezone: Tehran", "1:11: timezone should be a time zone: did you mean Asia/Tehran?"),
        ("timezone: europe/berlin", "1:11: timezone should be a time zone: did you mean Europe/Berlin?"),
        ("timezone: ../etc/passwd", "1:11: timezone should be a time zone: did you mean"),
        ("locale: de", "1:9: locale should be en, fa or ru"),
        (
            "public_url: bridge.example.com",
            "1:13: public_url should be an address that begins with http:// or https://",
        ),
        (
            "trusted_proxies: [nginx]",
            "1:19: trusted_proxies[0] should be an address or a network, such as 203.0.113.7 or 203.0.113.0/24",
        ),
        (
            "store: postgresql+psycopg://host",
            "1:8: store should name the database, as in postgresql+psycopg://user:password@host/panelbridge",
        ),
        *(
            (
                f"store: postgresql://u:{password}@host/db",
                "1:8: store should have its password percent-encoded (% as %25, @ as %40, / as %2F, # as %23, "
                "? as %3F, no letter or digit), or have none, and the password in store_password_file",
            )
            for password in ("p@ss", "p/ss", "p#ss", "p%41ss", "p%ss")
        ),
        (
            "store: postgresql://u:p@host/db\nstore_password: x",
            "2:17: store_password: stands here beside a password in store: keep one of them",
        ),
        (
            "store: postgres://h/d\nstore_password: x",
            "2:17: store_password needs a store with a user, as in postgresql+psycopg://user@host/panelbridge",
        ),
        (
            "sinks:\n  shop: {type: webhook, url: https://x.example, unmask: [user.key]}",
            '2:57: sink "shop": unmask needs secret_key or secret_key_file in the file: what it unmasks is kept sealed',
        ),
        (
            "secret_key: short",
            "1:13: secret_key should have at least 32 signs: make one with `openssl rand -base64 32`",
        ),
        (
            "store: sqlite://",
            "1:8: store should name an SQLite file, as in sqlite:////var/lib/panelbridge/panelbridge.db, "
            "or a database, as in postgresql+psycopg://user:password@host/panelbridge",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(tmp_path: Path, text: str, expected: str) -> None:
    told = mistakes(tmp_path, text)
    assert len(told) == len(expected.splitlines()), told
    for line, start in zip(told, expected.splitlines(), strict=True):
        assert line.startswith(f"config.yaml:{start}")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert mistakes(
        tmp_path,
        """\
listen: nowhere
sources:
  m: {panel: marzban, secrt: x, secret: "${MISSING}"}
  m: {panel: marzban}
sinks:
  ops: {type: telegram, token: 1:a, chat_id: 5, buttons: [{text: a, url: "{% if %}"}]}
  crm: {type: gohighlevel, api_key_file: nothing}
routes:
  - {to: [ops, cmr], match: user.expird, stop: perhaps}
  - {to: ops, when: "1 +", template: bass}
webhooks:
  - {name: ops, providerType: SLAC, endpoint: ftp://x}
""",
    ) == [
        "config.yaml:1:9: listen should be host:port, as in 0.0.0.0:8080 or [::]:8080",
        'config.yaml:3:23: source "m": unknown key "secrt": did you mean "secret"?',
        'config.yaml:3:41: source "m": secret: the variable MISSING is not set: set it, '
        "or give a default as in ${MISSING:-default}",
        'config.yaml:4:3: source "m": stands here a second time, first in line 3',
        'config.yaml:6:74: sink "ops": buttons[0].url is no template: inline:1: '
        "Expected an expression, got 'end of statement block'",
        f'config.yaml:7:42: sink "crm": api_key cannot be read from {tmp_path}/nothing: No such file or directory',
        'config.yaml:9:16: route 1: no sink named "cmr": did you mean "crm"?',
        'config.yaml:9:29: route 1: no event has the type "user.expird": did you mean "user.expired"?',
        "config.yaml:9:48: route 1: stop should be true or false",
        "config.yaml:10:21: route 2: when is not a Jinja expression: unexpected 'end of template'",
        'config.yaml:10:38: route 2: template: "bass" is not there: did you mean "base"?',
        'config.yaml:12:12: webhook 1: its sink would be called "ops", and that name is taken',
        'config.yaml:12:31: webhook 1: providerType should be SLACK, GOHIGHLEVEL or ZAPIER: did you mean "SLACK"?',
        "config.yaml:12:47: webhook 1: endpoint should be an address that begins with http:// or https://",
    ]


ODD_TEXTS: tuple[Any, ...] = ("", "x", "x" * 999, ["x", None], ["9" * 18] * 999)
ODD = (None, True, -1, 1.5, float("inf"), 10**30, [], {}, {"a": 1}, *ODD_TEXTS)


@pytest.mark.parametrize("model", sorted(set(models(Config)), key=lambda one: f"{one.__module__}.{one.__name__}"))
def test_whatever_a_setting_holds_no_mistake_is_told_in_pydantics_words(model: type[BaseModel]) -> None:
    for key in [field.alias or name for name, field in model.model_fields.items()]:
        for value in ODD:
            document = Document({key: value}, values={(key,): (1, 1)})
            try:
                model.model_validate(document.data)
            except ValidationError as error:
                report_errors(error, document, model)
                assert document.mistakes
                pydantics = [one["msg"].removeprefix("Input ") for one in error.errors()]
                assert not [one.text for one in document.mistakes if any(words in one.text for words in pydantics)]


SECRET = "s3cr3t-s3cr3t"


@pytest.mark.parametrize(
    "text",
    [
        f"sources:\n  m: {{panel: marzban, secret: {{a: {SECRET}}}}}",
        f"sources:\n  m: {{panel: marzban, secret: [[{SECRET}]]}}",
        f"sources: {SECRET}",
        f"sources: [{SECRET}]",
        f"sinks:\n  ops: {{type: discord, url: {SECRET}}}",
        f"sinks:\n  ops: {{type: discord, url: [{SECRET}]}}",
        f"sinks:\n  ops: {{type: slack, token: {SECRET}}}",
        f"sinks:\n  ops: {{type: slack, token: '{SECRET}\\n'}}",
        f"sinks:\n  ops: {{type: telegram, token: [{SECRET}], chat_id: 1}}",
        f"sinks:\n  ops: {{type: telegram, token: x, chat_id: 1, proxy: {SECRET}}}",
        f"sinks:\n  ops: {{type: telegram, token: x, chat_id: 1, proxy: 'ftp://u:{SECRET}@h'}}",
        f"sinks:\n  ops: {{type: gohighlevel, api_key: {SECRET}}}",
        f"sinks:\n  ops: {{type: webhook, url: https://x, secret: {SECRET}}}",
        f"sinks:\n  ops: {{type: webhook, url: https://x, headers: {{A: [{SECRET}]}}}}",
        f"sinks:\n  ops: {{type: webhook, url: https://x, headers: {{A: 'ö{SECRET}'}}}}",
        f"webhooks:\n  - {{name: x, providerType: SLACK, endpoint: 'ftp://{SECRET}'}}",
        "webhooks:\n  - {name: x, providerType: GOHIGHLEVEL, endpoint: 'https://services.leadconnectorhq.com/v2', "
        f"providerSpecificConfig: {{apiKey: {SECRET}}}}}",
        f"webhooks:\n  - {{name: x, providerType: SLACK, endpoint: https://x/y, providerSpecificConfig: '{SECRET}'}}",
        f"store: mysql://user:{SECRET}@host/db",
        f"store: postgresql://user:{SECRET}@host",
        f"store: postgresql://user:p@{SECRET}@host/db",
        f"store: postgresql://user:{SECRET}/%41@host/db",
        f"store: postgresql://host/db\nstore_password: {SECRET}",
        f"store: postgresql://user:{SECRET}@host/db\nstore_password: {SECRET}",
        f"public_url: ftp://user:{SECRET}@host",
    ],
)
def test_no_mistake_tells_a_secret(tmp_path: Path, text: str) -> None:
    for line in mistakes(tmp_path, text):
        assert SECRET not in line


#: What a machine has made for nobody to know, and a password with signs.
SECRETS = (
    "https://discord.com/api/webhooks/123/TOKEN",
    "123456:BOTTOKEN",
    "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "pit-1f0e2d3c-4b5a-4697-8877-665544332211",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "!pa/$word;9",
    "*pa/$word;9",
)
#: One of each thing that may stand in the file.
OF_ALL = """
    public_url: https://bridge.example.com
    store: sqlite:///panelbridge.db
    store_password: p
    secret_key: kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    keep: {operators: 90d, user: 7d}
    timezone: UTC
    locale: en
    templates: mine
    trusted_proxies: [10.0.0.0/8]
    traces: {to: "http://127.0.0.1:4318"}
    admin: {token: 0123456789abcdef, owners: {seven: {token: 0123456789abcdeg, realm: m}}}
    alerts: {to: [ops]}
    reports: {morning: {at: "09:00", to: [ops], by: [owner]}}
    directory: {file: people.csv, realm: m, default: {email: a@b.example}, owners: {seven: {telegram: 5}}}
    people: {bot: dm, name: Us, brands: {seven: {name: Seven, sinks: {dm: own}}}}
    sources:
      m: {panel: marzban, secret: [x], mask: [user.note], silent_after: auto, realm: m}
      j: {panel: json, secret: x, type: body.kind, data: {user.username: body.user}, pairs: {down: up}}
    sinks:
      ops: {type: discord, url: "https://discord.com/api/webhooks/1/x", username: us, proxy: "http://h:1", rate: 1/s}
      dm: {type: telegram, token: "1:x", chat_id: "{{ person.telegram }}", unknown: drop}
      own: {type: telegram, token: "2:x", chat_id: "{{ person.telegram }}", buttons: [{text: a, url: "https://a.example"}]}
      hook: {type: webhook, url: "https://x.example/a", headers: {X-Key: a}, unmask: [user.note], ca: roots.pem}
      mail: {type: email, server: s.example, from: a@b.example, to: c@d.example, password: p, username: u}
      push: {type: ntfy, topic: t, click: "{{ event.type }}", tags: [a], actions: [{label: a, url: "https://a.example"}]}
    routes:
      - {match: [user.*], source: [m], to: [ops], fallback: [hook], template: base, when: data.user, stop: true}
      - {match: [user.*], to: [dm], audience: user, category: status, quiet: {hours: "22:00-07:00"}}
    webhooks:
      - {name: w, providerType: SLACK, endpoint: "https://x.example/b", subscribedEvents: [USER_CREATED]}
"""


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to each thing inside of a value."""
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(one, (*path, key))


DATA = yaml.safe_load(OF_ALL)
PLACES = list(places(DATA))


def with_secret(path: tuple[str | int, ...], secret: str) -> Iterator[str]:
    """The file with a secret in the place of what a path leads to, of its key, and behind the key without a space."""
    for change in ("value", "key", "joined"):
        data = deepcopy(DATA)
        *way, last = path
        inside = reduce(getitem, way, data)
        if change == "value":
            inside[last] = secret
        elif isinstance(last, str):
            inside[secret if change == "key" else f"{last}:{secret}"] = inside.pop(last) if change == "key" else None
        yield json.dumps(data)  # which is YAML too


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What has the files that the file of all speaks of."""
    made = tmp_path_factory.mktemp("all")
    (made / "mine").mkdir()
    (made / "people.csv").write_text("kind,name,telegram\nowner,seven,-100\n")
    authority(made)
    return made


def test_the_file_of_all_has_no_mistake(folder: Path) -> None:
    assert loaded(folder, OF_ALL).config.sinks


@pytest.mark.parametrize(("path", "secret"), list(zip(PLACES, cycle(SECRETS), strict=False)), ids=str)
def test_wherever_a_secret_stands_no_mistake_tells_it(folder: Path, path: tuple[str | int, ...], secret: str) -> None:
    for text in with_secret(path, secret):
        try:
            told = [one.text for one in loaded(folder, text).warnings]
        except ConfigError as error:
            told = [str(error), *(one.text for one in error.warnings)]
        assert not [one for one in told if secret in one]


@pytest.mark.parametrize("model", sorted(set(models(Config)), key=lambda one: f"{one.__module__}.{one.__name__}"))
def test_whatever_setting_a_secret_is_no_mistake_tells_it(model: type[BaseModel]) -> None:
    for key in [field.alias or name for name, field in model.model_fields.items()]:
        for secret in SECRETS:
            for value in (secret, [secret], {secret: None}, {"a": secret}, [{secret: "a"}]):
                document = Document({key: value}, values={(key,): (1, 1)})
                try:
                    model.model_validate(document.data)
                except ValidationError as error:
                    report_errors(error, document, model)
                assert not [one.text for one in document.mistakes if secret in one.text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sinks:\n  ops: {type: discord, url:https://discord.com/api/webhooks/123/TOKEN}",
            '2:24: sink "ops": unknown key "url:…": put a space behind its colon',
        ),
        (
            "sinks:\n  ops: {type: telegram, chat_id: 1, token:123456:BOTTOKEN}",
            '2:37: sink "ops": unknown key "token:…": put a space behind its colon',
        ),
        (
            "sources:\n  m: {panel: marzban, secret:topsecret}",
            '2:23: source "m": unknown key "secret:…": put a space behind its colon',
        ),
        (
            "sources:\n  m: {panel: marzban, secret_file:topsecret}",
            '2:23: source "m": unknown key "secret_file:…": put a space behind its colon',
        ),
        (
            "sinks:\n  ops: {type: console, https://discord.com/api/webhooks/123/TOKEN}",
            '2:24: sink "ops": unknown key "…": there are ca, color, enabled,',
        ),
        ("admin: {token:topsecret}", '1:9: admin: unknown key "token:…": put a space behind its colon'),
    ],
)
def test_a_key_that_has_swallowed_its_value_is_told_without_it(tmp_path: Path, text: str, expected: str) -> None:
    assert any(one.startswith(f"config.yaml:{expected}") for one in mistakes(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "a: !$ecret9",
        "a: !s3c<ret9",
        "a: *$ecret9",
        "a: *s3cret/9x",
        "a: &s3cret/9x 1\nb: &s3cret/9x 2",
        "a: ${x $ecret9}",
        "a: ${x:-y$ecret9",
        "a: ${A:?$ecret9}",
        "a: 1\na: $ecret9",
        "$ecret9: 1\n$ecret9: 2",
        "sinks: {m: {url_file: $ecret9}}",
        "sinks: {m: {url_file: /a/$ecret9}}",
        "sinks: {m: {url_file: [a, b/$ecret9]}}",
    ],
)
def test_what_is_no_yaml_is_told_without_a_secret(tmp_path: Path, text: str) -> None:
    for line in mistakes(tmp_path, text):
        assert "cret9" not in line
        assert "s3cret" not in line


def test_a_mistake_in_a_variable_is_not_told_again_as_one_of_kind(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "limits: {body: '${MISSING}'}") == [
        "config.yaml:1:16: limits.body: the variable MISSING is not set: set it, "
        "or give a default as in ${MISSING:-default}"
    ]


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "config.yaml", {})
    assert raised.value.mistakes[0].text == "cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "match",
    [
        "user.modified",
        "peer.create",
        "node.traffic_notify",
        "user_created",
        "USER_CREATED",
        "user.zebra",
        "x.y",
        "user.creat?",
    ],
)
def test_native_names_globs_and_strangers_are_no_mistakes(tmp_path: Path, match: str) -> None:
    loaded(tmp_path, SINK + f"routes:\n  - {{to: ops, match: '{match}'}}")


def test_a_source_that_names_its_types_itself_may_name_them_as_it_likes(tmp_path: Path) -> None:
    source = "sources:\n  j: {panel: json, secret: x, type: body.type}\n  m: {panel: marzban, secret: x}\n"
    loaded(tmp_path, source + SINK + "routes:\n  - {to: ops, match: user.creatd}")
    loaded(tmp_path, source + SINK + "routes:\n  - {to: ops, match: user.creatd, source: j}")
    assert len(mistakes(tmp_path, source + SINK + "routes:\n  - {to: ops, match: user.creatd, source: m}")) == 1


def test_templates_of_ones_own_are_compiled(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "discord"
    folder.mkdir(parents=True)
    (folder / "good.j2").write_text("{% block title %}x{% endblock %}")
    (folder / "bad.j2").write_text("{% block title %}\n{{ x | shout }}{% endblock %}")
    assert mistakes(tmp_path, "templates: mine\n" + SINK + "routes:\n  - {to: ops, template: god}") == [
        'config.yaml:5:25: route 1: template: "god" is not there: did you mean "good"?',
        "mine/discord/bad.j2:2:1: No filter named 'shout'.",
    ]
    (folder / "bad.j2").unlink()
    found = loaded(tmp_path, "templates: mine\n" + SINK + "routes:\n  - {to: ops, template: good}")
    assert found.config.template_folders() == (tmp_path / "mine",)
    assert found.files == (tmp_path / "config.yaml", tmp_path / "mine")


def test_a_template_with_a_number_that_python_cannot_read_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine" / "discord").mkdir(parents=True)
    (tmp_path / "mine" / "discord" / "bad.j2").write_text("{% block title %}\n{{ " + "9" * 5000 + " }}{% endblock %}")
    assert mistakes(tmp_path, "templates: mine\n" + SINK) == [
        "mine/discord/bad.j2:2:1: has a number of too many digits"
    ]


@pytest.mark.parametrize("template", ["{a: b}", "[a, b]"])
def test_a_row_whose_template_is_no_name_is_a_mistake(tmp_path: Path, template: str) -> None:
    (tmp_path / "mine").mkdir()
    told = mistakes(tmp_path, "templates: mine\n" + SINK + f"routes:\n  - {{to: ops, template: {template}}}")
    assert [line.partition(" route 1")[0] for line in told] == ["config.yaml:5:25:"]


@pytest.mark.parametrize("name", ["mine", "config.yaml", "x" * 999])
def test_a_folder_of_templates_has_to_be_there(tmp_path: Path, name: str) -> None:
    assert mistakes(tmp_path, f"templates: {name}") == [
        f"config.yaml:1:12: templates should be a folder: there is none at {tmp_path}/{name}"
    ]


def test_a_sink_speaks_only_languages_that_we_have(tmp_path: Path) -> None:
    loaded(tmp_path, "sinks:\n  ops: {type: console, locale: fa_IR}")
    assert mistakes(tmp_path, "sinks:\n  ops: {type: console, locale: de}") == [
        'config.yaml:2:32: sink "ops": locale should be en, fa or ru'
    ]
