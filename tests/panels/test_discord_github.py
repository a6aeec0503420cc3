"""What GitHub sends, as a line.

Source   docs.github.com/en/webhooks/webhook-events-and-payloads, examples, cut short
"""

import json
from typing import Any

import pytest
from hypothesis import given

from bridge.errors import BadPayload
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.discord.github import SENTENCES
from bridge.panels.discord.panel import DiscordEndpointConfig, DiscordPanel
from tests.panels.hearing import JSON, shaped
from tests.panels.recorded import ARRIVAL

PANEL = DiscordPanel(DiscordEndpointConfig.model_validate({"panel": "discord", "secret": "none"}))
REPOSITORY = {"full_name": "octo/hello_world", "html_url": "https://github.com/octo/hello_world"}
WHO: dict[str, Any] = {"sender": {"login": "alice"}, "repository": REPOSITORY}
ISSUE = {
    "number": 5,
    "title": "Node *down*",
    "html_url": "https://github.com/octo/hello_world/issues/5",
    "body": "since 4",
}
PULL = {"number": 7, "title": "Fix it", "html_url": "https://github.com/octo/hello_world/pull/7", "merged": True}
COMMENT = {"html_url": "https://github.com/c", "body": "me too", "commit_id": "0123456789abcdef"}
RUN = {"name": "build", "conclusion": "timed_out", "head_branch": "main", "html_url": "https://github.com/run"}
COMMIT = {
    "id": "0123456789abcdef",
    "message": "Fix <it>\n\nlong",
    "url": "https://github.com/octo/hello_world/commit/0",
}
PUSH = {"ref": "refs/heads/main", "compare": "https://github.com/compare", "commits": [COMMIT]}


def parsed(name: str | None, body: Any) -> ParsedEvent:
    headers = {"X-GitHub-Event": name} if name is not None else {}
    hook = Hook(body=json.dumps(body).encode(), received_at=ARRIVAL, dialect="github", headers=headers)
    (element,) = PANEL.elements(hook)
    return PANEL.parse(PANEL.scrub(element), hook)


def line(name: str | None, body: Any) -> str:
    """The line without the backslashes that keep it as it is."""
    title: str = parsed(name, body).data["message"]["embeds"][0]["title"]
    return title.replace("\\", "")


def test_a_push_is_a_typed_event_about_its_repository() -> None:
    event = parsed("push", WHO | PUSH)
    assert (event.type, event.native_type) == ("discord.github.push", "discord:github/push")
    assert event.subject == "repository:octo/hello_world"
    assert event.data == {
        "actor": "alice",
        "message": {
            "username": "GitHub",
            "embeds": [
                {
                    "title": r"\[octo/hello\_world:main\] alice pushed 1 commit",
                    "url": "https://github.com/compare",
                    "description": r"[`0123456`](https://github.com/octo/hello_world/commit/0) Fix \<it\>",
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        (
            "push",
            PUSH | {"forced": True, "commits": [COMMIT] * 2},
            "[octo/hello_world:main] alice force-pushed 2 commits",
        ),
        ("push", PUSH | {"deleted": True, "commits": []}, "[octo/hello_world] alice deleted branch main"),
        ("push", {"ref": "refs/tags/v1", "created": True}, "[octo/hello_world] alice created tag v1"),
        ("create", {"ref_type": "tag", "ref": "v1"}, "[octo/hello_world] alice created tag v1"),
        ("delete", {"ref_type": "branch", "ref": "x"}, "[octo/hello_world] alice deleted branch x"),
        ("issues", {"action": "opened", "issue": ISSUE}, "[octo/hello_world] alice opened issue #5: Node *down*"),
        (
            "issue_comment",
            {"action": "created", "issue": ISSUE, "comment": COMMENT},
            "[octo/hello_world] alice commented on issue #5: Node *down*",
        ),
        (
            "issue_comment",
            {"action": "deleted", "issue": ISSUE | {"pull_request": {"url": "x"}}, "comment": COMMENT},
            "[octo/hello_world] alice deleted a comment on pull request #5: Node *down*",
        ),
        (
            "pull_request",
            {"action": "closed", "pull_request": PULL},
            "[octo/hello_world] alice merged pull request #7: Fix it",
        ),
        (
            "pull_request",
            {"action": "synchronize", "pull_request": PULL},
            "[octo/hello_world] alice updated pull request #7: Fix it",
        ),
        (
            "pull_request_review",
            {"action": "submitted", "pull_request": PULL, "review": COMMENT | {"state": "changes_requested"}},
            "[octo/hello_world] alice requested changes in pull request #7: Fix it",
        ),
        (
            "pull_request_review_comment",
            {"action": "created", "pull_request": PULL, "comment": COMMENT},
            "[octo/hello_world] alice commented on pull request #7: Fix it",
        ),
        (
            "discussion_comment",
            {"action": "created", "discussion": ISSUE, "comment": COMMENT},
            "[octo/hello_world] alice commented on discussion #5: Node *down*",
        ),
        ("commit_comment", {"comment": COMMENT}, "[octo/hello_world] alice commented on commit 0123456"),
        (
            "release",
            {"action": "published", "release": {"tag_name": "v1", "name": "One"}},
            "[octo/hello_world] alice published release One",
        ),
        ("workflow_run", {"workflow_run": RUN}, "[octo/hello_world:main] alice workflow build: timed out"),
        ("check_run", {"check_run": {"name": "x", "status": "queued"}}, "[octo/hello_world] alice check x: queued"),
        ("watch", {"action": "started"}, "[octo/hello_world] alice starred it"),
        ("star", {"action": "deleted"}, "[octo/hello_world] alice unstarred it"),
        ("fork", {}, "[octo/hello_world] alice forked it"),
        ("public", {}, "[octo/hello_world] alice made it public"),
        ("member", {"action": "added", "member": {"login": "bob"}}, "[octo/hello_world] alice added member bob"),
        ("ping", {"zen": "x"}, "[octo/hello_world] alice set up this webhook"),
        ("team_add", {"action": "done"}, "[octo/hello_world] alice team add: done"),
    ],
)
def test_each_event_is_a_line(name: str, body: dict[str, Any], expected: str) -> None:
    assert line(name, WHO | body) == expected


def test_what_discord_shows_has_words() -> None:
    assert SENTENCES.keys() >= {
        *("commit_comment", "create", "delete", "fork", "issue_comment", "issues", "member", "public", "pull_request"),
        *("pull_request_review", "pull_request_review_comment", "push", "release", "watch", "check_run", "check_suite"),
        *("discussion", "discussion_comment"),
    }


def test_what_has_no_name_is_kept_and_told() -> None:
    event = parsed(None, {"action": "done"})
    assert (event.type, event.native_type, event.subject) == ("discord.github.unnamed", "discord:github/unnamed", None)
    assert line(None, {}) == "event"


def test_long_words_are_quoted_in_part() -> None:
    body = WHO | {"action": "opened", "issue": ISSUE | {"body": "x" * 600}}
    assert len(parsed("issues", body).data["message"]["embeds"][0]["description"]) == 500


def test_of_many_commits_ten_are_named() -> None:
    embed = parsed("push", WHO | PUSH | {"commits": [COMMIT] * 12}).data["message"]["embeds"][0]
    assert embed["description"].splitlines()[-1] == "… 2"
    assert len(embed["description"].splitlines()) == 11


KEYS = (
    "ref",
    "commits",
    "issue",
    "pull_request",
    "comment",
    "review",
    "release",
    "check_run",
    "member",
    "forkee",
    "state",
)


@given(
    shaped(
        dict.fromkeys(("action", "sender", "repository", *KEYS), shaped(dict.fromkeys(("login", *KEYS), JSON)) | JSON)
    )
    | JSON
)
def test_nothing_but_a_bad_payload_comes_of_any_json(body: Any) -> None:
    for name in SENTENCES:
        try:
            json.dumps(parsed(name, body).data, allow_nan=False)
        except BadPayload:
            return
