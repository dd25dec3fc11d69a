"""``python -m tests.reliability.impatient_worker``: a test worker whose broker soon delivers calls again."""

import runpy

from db.publisher import TRANSPORT_OPTIONS

VISIBILITY_SECONDS = 5

if __name__ == "__main__":
    TRANSPORT_OPTIONS["visibility_timeout"] = VISIBILITY_SECONDS
    runpy.run_module("tests.worker.worker_process", run_name="__main__")
