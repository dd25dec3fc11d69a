"""``make audit``: known vulnerabilities and licences of what `requirements.lock` pins.

Exit status 0: all looked up, nothing found; 1: something found; 3: it couldn't all be looked up.
"""

import sys
from pathlib import Path

from tests.audit.advisories import look_up
from tests.audit.licences import installed_licences, locked_packages, not_permissive, reason_for

LOCK = Path(__file__).parents[2] / "requirements.lock"
NOT_KNOWN = 3


def main() -> int:
    """Print both reports; returns the exit status."""
    locked, licences = locked_packages(LOCK), installed_licences()
    missing = sorted(locked - licences.keys())
    print(f"Licences of {len(locked)} locked packages; not installed here: {', '.join(missing) or 'none'}:")
    for name in sorted(locked & licences.keys()):
        print(f"  {name}: {licences[name]}" + (f" — {reason}" if (reason := reason_for(name)) else ""))
    refused = not_permissive(locked, licences)
    for line in refused:
        print(f"Licences: NOT PERMISSIVE and without a reason: {line}")
    advisories = look_up(LOCK)
    print(advisories.describe())
    if refused or advisories.vulnerable:
        return 1
    return 0 if advisories.is_clean else NOT_KNOWN


if __name__ == "__main__":
    sys.exit(main())
