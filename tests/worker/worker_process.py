"""``python -m tests.worker.worker_process``: a real worker that runs the jobs of the tests.

Its settings come as one line of JSON on standard input.
"""

import sys

from db.settings import Settings
from worker.celery_app import run_worker

TESTING = (sys.executable, "-m", "worker.template", "tests.worker.child")

if __name__ == "__main__":
    settings = Settings.model_validate_json(sys.stdin.readline())
    sys.exit(run_worker(settings, template_command=TESTING))
