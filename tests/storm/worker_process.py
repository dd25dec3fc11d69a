"""``python -m tests.storm.worker_process``: a real worker; its settings come as a line of JSON."""

import sys

from db.settings import Settings
from worker.celery_app import run_worker

STORMY = (sys.executable, "-m", "worker.template", "tests.storm.child")

if __name__ == "__main__":
    settings = Settings.model_validate_json(sys.stdin.readline())
    sys.exit(run_worker(settings, template_command=STORMY))
