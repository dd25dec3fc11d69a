"""``python -m tests.worker.forking <assignment>``: a worker reduced to a template and one attempt."""

import sys

from worker.assignment import Assignment
from worker.process import AttemptProcess, Template

FORKED = (sys.executable, "-m", "worker.template", "tests.worker.forked")

if __name__ == "__main__":
    assignment = Assignment.model_validate_json(sys.argv[1])
    process = AttemptProcess(Template(FORKED), assignment.kind, assignment)
    while not process.has_ended(60):
        pass
