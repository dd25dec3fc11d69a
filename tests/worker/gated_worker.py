"""``python -m tests.worker.gated_worker``: a real worker whose real jobs wait at a gate (`gated_child`)."""

import sys

from db.settings import Settings
from worker.celery_app import run_worker

GATED = (sys.executable, "-m", "worker.template", "tests.worker.gated_child")

if __name__ == "__main__":
    sys.exit(run_worker(Settings.model_validate_json(sys.stdin.readline()), template_command=GATED))
