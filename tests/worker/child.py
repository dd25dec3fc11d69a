"""``python -m tests.worker.child``: the process of an attempt, with the jobs of the tests."""

import sys

from tests.worker.jobs import find_test_job
from worker import child

if __name__ == "__main__":
    sys.exit(child.main(find_test_job))
