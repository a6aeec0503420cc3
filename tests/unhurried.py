"""`panelbridge` that looks, and sends its last traces, for as long as it takes: a machine may be busy."""

import pytest

from bridge import app, trace_export, tracing
from bridge.__main__ import main
from tests.admin.running import without_hurry
from tests.processes import PATIENCE

patch = pytest.MonkeyPatch()
without_hurry(patch)
patch.setattr(app, "LIMIT", PATIENCE)
patch.setattr(tracing, "CLOSING", PATIENCE)
patch.setattr(trace_export, "TIMEOUT", PATIENCE)
main()
