"""What Slack's error names are about: the place, the message, an earlier message, or a moment that passes.

Source   docs.slack.dev/reference/methods/chat.postMessage#errors, chat.update#errors;
         api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
"""

#: About the place, the token or the app: no message will be taken until a person has been there.
GONE = frozenset(
    {
        # the channel, and what is allowed there; beside these whatever begins with restricted_action
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "channel_is_archived",
        "user_not_found",
        "messages_tab_disabled",
        "action_prohibited",
        "posting_to_general_channel_denied",
        # the thread that the sink posts in
        "thread_not_found",
        "invalid_thread_ts",
        "cannot_reply_to_message",
        # the token
        "invalid_auth",
        "not_authed",
        "not_allowed_token_type",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "invalid_token",
        "missing_scope",
        "no_permission",
        "access_denied",
        "accesslimited",
        "two_factor_setup_required",
        # the workspace
        "org_login_required",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "team_access_not_granted",
        "team_disabled",
        "team_not_found",
        "no_team",
        # the webhook, and the method
        "no_service",
        "no_service_id",
        "no_active_hooks",
        "deprecated_endpoint",
        "method_deprecated",
    }
)
#: Of these, what is about the channel alone.
CHANNEL = frozenset(
    {
        *("channel_not_found", "not_in_channel", "is_archived", "channel_is_archived", "user_not_found"),
        *("messages_tab_disabled", "posting_to_general_channel_denied"),
        *("thread_not_found", "invalid_thread_ts", "cannot_reply_to_message"),
    }
)
#: Passes by itself.
AWAY = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "rollup_error",
        "team_added_to_org",
        "external_channel_migrating",
    }
)
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
#: To a deletion: it is not there any more, which is what was asked for.
DELETED = "message_not_found"
#: To an edit or a reply: the earlier message is not there any more, or closed; it is sent anew. A deletion is refused.
LOST = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "block_mismatch",
        "is_inactive",
        "update_failed",
        "channel_not_found",
        "thread_not_found",
        "invalid_thread_ts",
        "cannot_reply_to_message",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
    }
)


def is_about_channel(name: str) -> bool:
    """Whether the error of that name is about one channel, and not about the token or the workspace."""
    return name in CHANNEL or name.startswith("restricted_action")


def is_gone(name: str) -> bool:
    """Whether the error of that name is about the place. `no_team_of_that_name` and the like are spelt in many ways."""
    return name in GONE or name.startswith(("restricted_action", "no_team", "no_service"))
