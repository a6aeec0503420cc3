"""What pip-audit has found, in words: 1 where something is known against a dependency.

What is said of a package that its data does not know counts as not audited: so it is where they cannot be reached.
"""

import json
import sys
from pathlib import Path


def main(file: Path) -> int:
    try:
        found = json.loads(file.read_text("utf-8"))["dependencies"]
    except (OSError, ValueError, KeyError):
        print("audit: left out, pip-audit cannot reach its data")
        return 0
    audited = [one for one in found if "vulns" in one]
    if not audited:
        print("audit: left out, pip-audit's data say nothing of any dependency here")
        return 0
    known = [(one, fault) for one in audited for fault in one["vulns"]]
    for one, fault in known:
        print(f"audit: {one['name']} {one['version']}: {fault['id']}, mended in {fault['fix_versions'] or 'no release'}")
    print(f"audit: {len(known)} known faults in {len(audited)} of {len(found)} dependencies")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
