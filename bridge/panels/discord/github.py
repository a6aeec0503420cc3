"""GitHub's webhooks, as Discord takes them under `/github`: a line that says who did what, and where it leads.

Source   docs.github.com/en/webhooks/webhook-events-and-payloads;
         discord.com/developers/docs/resources/webhook#execute-githubcompatible-webhook
Sends    {action, sender, repository, …}, or a form with it in `payload`; the event's name is in X-GitHub-Event
Quirks   Discord ignores the events that it has no words for; here they are told by their names
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bridge.event import JsonObject
from bridge.foreign import present, text, value_at, whole
from bridge.value import Value

SHOWN_COMMITS, DETAIL = 10, 500

_MARKS = re.compile(r"[\\*_~`|\[\]()<>#]")


class Sentence(Value):
    """What follows the name of who did it: `opened issue #5: Title`; where that leads, and what is quoted below it."""

    words: str
    url: str | None = None
    detail: str | None = None
    branch: str | None = None


def github_message(name: str, body: Mapping[str, Any]) -> JsonObject:
    """The message for one event."""
    sentence = SENTENCES.get(name, _other(name))(body)
    repository = text(value_at(body, "repository", "full_name")) or text(value_at(body, "organization", "login"))
    where = ":".join(filter(None, (repository, sentence.branch)))
    who = actor(body)
    title = " ".join(filter(None, (f"[{where}]" if where else "", who or "", sentence.words)))
    url = sentence.url or text(value_at(body, "repository", "html_url"))
    embed = present(title=escaped(title), url=url, description=sentence.detail)
    return {"username": "GitHub", "embeds": [embed]}


def actor(body: Mapping[str, Any]) -> str | None:
    return text(value_at(body, "sender", "login")) or text(value_at(body, "pusher", "name"))


def action(body: Mapping[str, Any]) -> str | None:
    return text(body.get("action"))


def escaped(words: str) -> str:
    """As Discord's markdown shows it unchanged."""
    return _MARKS.sub(r"\\\g<0>", " ".join(words.split()))


def _verb(body: Mapping[str, Any], otherwise: str) -> str:
    said = action(body)
    return (
        {"synchronize": "updated", "converted_to_draft": "drafted"}.get(said, said.replace("_", " "))
        if said
        else otherwise
    )


def _number_and_title(thing: Any) -> str:
    number, title = whole(value_at(thing, "number")), text(value_at(thing, "title"))
    return ": ".join(filter(None, (f"#{number}" if number is not None else "", title or "")))


def _detail(value: Any) -> str | None:
    said = text(value)
    return said if said is None or len(said) <= DETAIL else said[: DETAIL - 1].rstrip() + "…"


def _thing(key: str, called: str) -> Callable[[Mapping[str, Any]], Sentence]:
    """An issue, a pull request, a discussion: `opened issue #5: Title`."""

    def sentence(body: Mapping[str, Any]) -> Sentence:
        thing = body.get(key)
        verb = "merged" if value_at(thing, "merged") is True and action(body) == "closed" else _verb(body, "changed")
        detail = _detail(value_at(thing, "body")) if action(body) in ("opened", "created") else None
        return Sentence(
            f"{verb} {called} {_number_and_title(thing)}".strip(), text(value_at(thing, "html_url")), detail
        )

    return sentence


def _comment(about: str, called: str, key: str = "comment") -> Callable[[Mapping[str, Any]], Sentence]:
    """What was said about such a thing: `commented on issue #5: Title`."""

    def sentence(body: Mapping[str, Any]) -> Sentence:
        thing, said = body.get(about), body.get(key)
        kind = "pull request" if value_at(thing, "pull_request") else called
        verb = "commented on" if action(body) in (None, "created", "submitted") else f"{_verb(body, '')} a comment on"
        if state := text(value_at(said, "state")):
            verb = {"approved": "approved", "changes_requested": "requested changes in"}.get(state.lower(), verb)
        words = f"{verb} {kind} {_number_and_title(thing)}".strip()
        return Sentence(words, text(value_at(said, "html_url")), _detail(value_at(said, "body")))

    return sentence


def _push(body: Mapping[str, Any]) -> Sentence:
    kind, branch = _branch_or_tag(text(body.get("ref")) or "")
    url = text(body.get("compare"))
    commits = body.get("commits")
    found = [one for one in commits if isinstance(one, dict)] if isinstance(commits, list) else []
    if body.get("deleted") is True:
        return Sentence(f"deleted {kind} {branch}".strip(), url)
    if body.get("created") is True and not found:
        return Sentence(f"created {kind} {branch}".strip(), url)
    count = f"{len(found)} commit{'' if len(found) == 1 else 's'}"
    verb = "force-pushed" if body.get("forced") is True else "pushed"
    more = [f"… {len(found) - SHOWN_COMMITS}"] if len(found) > SHOWN_COMMITS else []
    lines = [*map(_commit, found[:SHOWN_COMMITS]), *more]
    return Sentence(f"{verb} {count}", url, "\n".join(lines) or None, branch or None)


def _commit(commit: Mapping[str, Any]) -> str:
    id_, url = (text(commit.get("id")) or "")[:7], text(commit.get("url"))
    said = (text(commit.get("message")) or "").strip().partition("\n")[0]
    mark = f"`{id_.replace('`', '')}`" if id_ else ""
    linked = f"[{mark}]({url})" if mark and url and not re.search(r"[\s()]", url) else mark
    return " ".join(filter(None, (linked, escaped(said))))


def _branch_or_tag(ref: str) -> tuple[str, str]:
    """`refs/heads/main` as a branch and its name."""
    for start, kind in (("refs/heads/", "branch"), ("refs/tags/", "tag")):
        if ref.startswith(start):
            return kind, ref.removeprefix(start)
    return "branch", ref


def _made(verb: str) -> Callable[[Mapping[str, Any]], Sentence]:
    return lambda body: Sentence(
        " ".join(filter(None, (verb, text(body.get("ref_type")) or "branch", text(body.get("ref")))))
    )


def _release(body: Mapping[str, Any]) -> Sentence:
    release = body.get("release")
    name = text(value_at(release, "name")) or text(value_at(release, "tag_name")) or ""
    detail = _detail(value_at(release, "body")) if action(body) == "published" else None
    return Sentence(f"{_verb(body, 'changed')} release {name}".strip(), text(value_at(release, "html_url")), detail)


def _commit_comment(body: Mapping[str, Any]) -> Sentence:
    comment = body.get("comment")
    words = f"commented on commit {(text(value_at(comment, 'commit_id')) or '')[:7]}".strip()
    return Sentence(words, text(value_at(comment, "html_url")), _detail(value_at(comment, "body")))


def _check(key: str, called: str) -> Callable[[Mapping[str, Any]], Sentence]:
    """A check or a workflow: `workflow build: failure`."""

    def sentence(body: Mapping[str, Any]) -> Sentence:
        check = body.get(key)
        name = text(value_at(check, "name")) or ""
        state = text(value_at(check, "conclusion")) or text(value_at(check, "status")) or _verb(body, "changed")
        branch = text(value_at(check, "head_branch")) or text(value_at(check, "check_suite", "head_branch"))
        return Sentence(
            f"{called} {name}".strip() + f": {state.replace('_', ' ')}", text(value_at(check, "html_url")), None, branch
        )

    return sentence


def _other(name: str) -> Callable[[Mapping[str, Any]], Sentence]:
    return lambda body: Sentence(": ".join(filter(None, (name.replace("_", " "), _verb(body, "")))) or "event")


#: The events that we have words for, among them all that Discord shows.
SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], Sentence]] = {
    "push": _push,
    "create": _made("created"),
    "delete": _made("deleted"),
    "issues": _thing("issue", "issue"),
    "issue_comment": _comment("issue", "issue"),
    "pull_request": _thing("pull_request", "pull request"),
    "pull_request_review": _comment("pull_request", "pull request", "review"),
    "pull_request_review_comment": _comment("pull_request", "pull request"),
    "discussion": _thing("discussion", "discussion"),
    "discussion_comment": _comment("discussion", "discussion"),
    "commit_comment": _commit_comment,
    "release": _release,
    "check_run": _check("check_run", "check"),
    "check_suite": _check("check_suite", "checks"),
    "workflow_run": _check("workflow_run", "workflow"),
    "fork": lambda body: Sentence("forked it", text(value_at(body, "forkee", "html_url"))),
    "watch": lambda body: Sentence("starred it"),
    "star": lambda body: Sentence("unstarred it" if action(body) == "deleted" else "starred it"),
    "member": lambda body: Sentence(
        f"{_verb(body, 'changed')} member {text(value_at(body, 'member', 'login')) or ''}".strip()
    ),
    "public": lambda body: Sentence("made it public"),
    "ping": lambda body: Sentence("set up this webhook"),
}
