"""What Mattermost's error ids are about: the webhook, its channel or the server. All others are the message's.

Source   github.com/mattermost/mattermost @ 013f83c: server/channels/app/webhook.go (HandleIncomingWebhook),
         server/public/model/utils.go (AppError)
"""

from bridge.event import JsonObject

#: About the channel that was named, or the person, and no other.
OF_CHANNEL = frozenset(
    {
        "web.incoming_webhook.channel.app_error",
        "web.incoming_webhook.user.app_error",
        "web.incoming_webhook.permissions.app_error",
        "app.channel.get.existing.app_error",
        "api.post.create_post.can_not_post_to_deleted.error",
    }
)
#: No message will be taken until a person has been there.
GONE = frozenset(
    {
        "web.incoming_webhook.invalid.app_error",  # there is no such webhook: a deleted one is 400, and not 404
        "web.incoming_webhook.disabled.app_error",
        "web.incoming_webhook.channel_locked.app_error",
        "api.context.404.app_error",
        *OF_CHANNEL,
    }
)


def error_of(status: int, answer: JsonObject) -> str:
    """The error's id, empty where the answer has not the shape that all of Mattermost's errors have."""
    id_ = answer.get("id")
    own = isinstance(id_, str) and isinstance(answer.get("message"), str) and answer.get("status_code") == status
    return id_ if own and isinstance(id_, str) else ""
