"""``python -m tests.reliability.reading_worker``: a real worker whose real jobs are watched
(`reading_child`).
"""

import sys

from db.settings import Settings
from worker.celery_app import run_worker

READING = (sys.executable, "-m", "worker.template", "tests.reliability.reading_child")

if __name__ == "__main__":
    sys.exit(run_worker(Settings.model_validate_json(sys.stdin.readline()), template_command=READING))
