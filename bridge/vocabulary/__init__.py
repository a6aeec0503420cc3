"""The words that events are told in, whatever panel they come from: every type once, and every key of `data` once.

What shows an event, routes it, speaks a documented dialect or checks the file reads them here, and a test compares
docs/events.md with them.
"""

from bridge.vocabulary.keys import KEYS as KEYS
from bridge.vocabulary.keys import KINDS as KINDS
from bridge.vocabulary.keys import THINGS as THINGS
from bridge.vocabulary.keys import Key as Key
from bridge.vocabulary.keys import ValueKind as ValueKind
from bridge.vocabulary.keys import subject_title as subject_title
from bridge.vocabulary.types import DOCUMENTED as DOCUMENTED
from bridge.vocabulary.types import OWN_FAMILY as OWN_FAMILY
from bridge.vocabulary.types import OWN_SOURCE as OWN_SOURCE
from bridge.vocabulary.types import TYPES as TYPES
from bridge.vocabulary.types import EventType as EventType
from bridge.vocabulary.types import are_opposite as are_opposite
from bridge.vocabulary.types import documented_name as documented_name
from bridge.vocabulary.types import ends_trouble as ends_trouble
from bridge.vocabulary.types import event_type as event_type
from bridge.vocabulary.types import opposite as opposite
from bridge.vocabulary.types import remedy as remedy
