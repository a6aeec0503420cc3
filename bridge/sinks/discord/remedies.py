"""What to do about what Discord says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (
        r"\bcode (10015|10016)\b|unknown webhook",
        N_(
            "The webhook was deleted. Make a new one in the channel’s settings, Integrations, and put its address"
            " into the file: the lane flows again by itself."
        ),
    ),
    (
        r"\bcode (50027|50014)\b",
        N_("The address is incomplete: its last part is missing or wrong. Copy the webhook’s whole address."),
    ),
    (
        r"\bcode (10003|50001|50013)\b",
        N_("The channel is gone, or the webhook may not post there. Look at the channel and its permissions."),
    ),
    (r"\bcode (50035|50006)\b", N_("A part of the message is not as Discord wants it: mend the template.")),
)
