"""A terminal refuses nothing, and asks for no secret."""

from tests.services.known import Known

KNOWN = Known(example={}, ways={}, pace=None, house=None)
