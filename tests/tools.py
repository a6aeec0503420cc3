"""Tools that not every machine has, and that some tests need: nginx, gcc and their like.

Where one is missing, its tests are skipped, and say so; with CI_TOOLS=required, as .ci/run sets it, they fail, but for
those of what comes from an index of packages that not every machine reaches.
"""

import os
import shutil

import pytest

#: What .ci/run installs.
TOOLS = ("caddy", "chromium", "curl", "gcc", "git", "nginx", "pipx", "prometheus", "promtool", "systemd-analyze")
#: What it installs where it can.
OPTIONAL = ("synapse_homeserver", "dovecot")
SBIN = "/usr/sbin:/sbin"  # not in everybody's path


def needed(tool: str) -> str:
    """Where the tool is; skip the test, or fail, where it is nowhere."""
    assert tool in (*TOOLS, *OPTIONAL), f".ci/run does not install {tool}"
    if (found := shutil.which(tool) or shutil.which(tool, path=SBIN)) is not None:
        return found
    if tool in TOOLS and os.environ.get("CI_TOOLS") == "required":
        pytest.fail(f"{tool} is missing, and CI_TOOLS=required")
    pytest.skip(f"{tool} is missing")
