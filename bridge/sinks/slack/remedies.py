"""What to do about what Slack says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (
        r"no_service|no_active_hooks",
        N_("The app or its webhook was removed. Install it again, and use its address."),
    ),
    (r"is_archived", N_("The channel is archived. Bring it back, or name another one.")),
    (
        r"channel_not_found|not_in_channel",
        N_("The app is not in the channel. Invite it, or mend the channel’s name."),
    ),
    (r"invalid_auth|token_|account_inactive|not_authed", N_("The token is wrong or was revoked. Make a new one.")),
    (r"action_prohibited|restricted_action", N_("The workspace does not allow it. Ask whoever runs it.")),
    (r"invalid_blocks|msg_too_long", N_("A part of the message is not as Slack wants it: mend the template.")),
)
