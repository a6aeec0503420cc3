"""What to do about what HighLevel says, by what its reasons have in them."""

from bridge.sinks.remedies import remedies
from bridge.vocabulary.types import N_

REMEDIES = remedies(
    (r"HTTP 401|HTTP 403", N_("The key is wrong, or may not do this. Make a new one in HighLevel’s settings.")),
    (r"HTTP 404", N_("HighLevel does not know the location, or what is sent to. Mend it in the file.")),
    (r"not published", N_("Publish the workflow in HighLevel, then let the lane flow again.")),
    (r"HTTP 422|contact", N_("HighLevel does not take this contact. Look at it there, then send them again.")),
)
