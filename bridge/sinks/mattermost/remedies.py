"""What to do about what Mattermost says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (
        r"webhook\.invalid|404\.app_error",
        N_("The webhook was deleted. Make a new one under Integrations, and put its address into the file."),
    ),
    (r"webhook\.disabled", N_("The server takes no incoming webhooks. Ask whoever runs it to enable them.")),
    (
        r"channel_locked",
        N_("The webhook is bound to its own channel. Leave channel out, or unlock it in the webhook’s settings."),
    ),
    (
        r"webhook\.channel|channel\.get|deleted\.error",
        N_("The channel is gone or archived. Bring it back, or name another one."),
    ),
    (
        r"webhook\.(user|permissions)",
        N_("Whoever made the webhook is gone or may not post there. Make a new one from another account."),
    ),
)
