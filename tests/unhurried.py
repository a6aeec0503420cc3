"""`panelbridge` whose admin side looks as long as it takes: what is asked about is not how busy a machine may be."""

import pytest

from bridge import app
from bridge.__main__ import main
from tests.admin.running import without_hurry
from tests.processes import PATIENCE

patch = pytest.MonkeyPatch()
without_hurry(patch)
patch.setattr(app, "LIMIT", PATIENCE)
main()
