"""What to do about what a service behind Apprise says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (r"not installed", N_("Apprise is missing. Install it: pip install 'panelbridge[apprise]'.")),
    (r"HTTP 204", N_("Nobody was told. Save a configuration under the key of this address, at the Apprise API.")),
    (r"HTTP 20[2-6]", N_("The service says no more than that it took it. Say unconfirmed: true if that is enough.")),
    (
        r"HTTP 40[0134]",
        N_("The service does not take the address. Mend its token, key or channel under url."),
    ),
)
