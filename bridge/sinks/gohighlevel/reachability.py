"""Whether HighLevel takes a key and knows the location. A trigger is started by whatever comes: it is only reached.

Source   github.com/GoHighLevel/highlevel-api-docs, apps/locations.json: GET /locations/{locationId}
Answers  200 {location: {id, name}}; errors as to a contact
Quirks   wants the scope locations.readonly, which a key for contacts need not have: 401 `not authorized for this scope`
"""

from collections.abc import Callable, Mapping

from yarl import URL

from bridge.foreign import json_object, object_at
from bridge.outcome import Outcome
from bridge.sinks.http import Request, Response
from bridge.sinks.reachability import Finding, FindingMark, ReachabilityFlow, found, is_taken

UNTOLD = "the key is taken, and may not read the location: whether it is the right one is seen by a contact alone"


def location_reachability(
    url: URL, headers: Mapping[str, str], classify: Callable[[Response], Outcome]
) -> ReachabilityFlow:
    """Ask after the location that `url` names."""
    response = yield Request("GET", url, headers=headers)
    answer = json_object(response.body)
    if response.status == 401 and "scope" in str(answer.get("message")):
        return Finding(FindingMark.OK, UNTOLD)
    asked = found(classify(response), f'location "{object_at(answer, "location").get("name")}"')
    return asked if not is_taken(asked) or answer.get("location") else found(classify(response), "the location")
