"""What to do about what Bale says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (r"token not found|HTTP 401", N_("The token is wrong or was revoked. Ask @botfather in Bale for the bot’s token.")),
    (r"bot limit exceed", N_("The bot has used up what Bale allows it. Look at its settings with @botfather in Bale.")),
    (
        r"no such group or user|not found|permission_denied|HTTP 40[34]",
        N_("The bot is not in the chat, or nobody there has started it. Add it, or mend the chat_id."),
    ),
)
