"""``python -m tests.storm.child``: the process of an attempt, which knows the storm's kind too."""

import sys

from tests.storm.jobs import find_storm_job
from worker import child

if __name__ == "__main__":
    sys.exit(child.main(find_storm_job))
