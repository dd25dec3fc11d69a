# Everything runs in .venv; `make setup` makes it and every other target calls it.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# embedded, or system: PostgreSQL and Redis that are installed on this machine
SERVERS ?= embedded

.PHONY: setup demo test check lock audit fuzz test-image test-reliability test-mutants storm client docs

setup: .venv/.ready

# torch comes first and exactly, so that no other package picks its own build of it. An older pip searches for
# minutes among the versions of boto that s3fs and moto agree on.
.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (apt-get install python3)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.3'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup
	$(BIN)/sip demo $(ARGS)

# Two files at a time: the tests of one share what they start.
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --servers=$(SERVERS) $(ARGS)

# A built image on stock servers (Docker, PostgreSQL and Redis of the system): make test-image ARGS='--image TAG'
test-image: setup
	$(BIN)/python -m tests.image.run $(ARGS)

# The promises, each of COUNT times in a row
COUNT ?= 1
test-reliability: setup
	@for run in $$(seq $(COUNT)); do \
	  echo "run $$run of $(COUNT)"; \
	  $(BIN)/python -m pytest -q --durations=0 --durations-min=30 --servers=$(SERVERS) tests/reliability $(ARGS) || \
	    { echo "run $$run of $(COUNT) failed"; exit 1; }; \
	done; echo "every promise held in $(COUNT) of $(COUNT) runs"

# Each mechanism taken out of a copy of the tree, one at a time: its test must notice
test-mutants: setup
	$(BIN)/python -m tests.reliability.mutants $(ARGS)

# Short jobs while workers, PostgreSQL and Redis are killed and restarted; then every row and file is counted
MINUTES ?= 10
JOBS ?= 200
WORKERS ?= 4
storm: setup
	$(BIN)/python -m tests.storm $(if $(SEED),--seed $(SEED)) --minutes $(MINUTES) --jobs $(JOBS) --workers $(WORKERS) $(ARGS)

# The client for plain code, made from the one for asyncio
client: setup
	$(BIN)/python -m tests.client.sync_twin

# The pages of docs/ as a site in build/docs; warnings are errors
docs: setup
	$(BIN)/python -m sphinx -W --keep-going -b html docs build/docs $(ARGS)

PRODUCT := api cli client db sip_model web worker alembic

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(PRODUCT)

# Exact versions and hashes of everything that is shipped, for every platform, each marked where it is not for all
LOCKED_EXTRAS := embedded minilm s3 gcs
lock: .venv/.audit
	$(BIN)/uv pip compile pyproject.toml $(LOCKED_EXTRAS:%=--extra %) --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --quiet \
	  --output-file requirements.lock $(ARGS)

# Known vulnerabilities and licences of what is locked; 3 where the advisory source has no answer
audit: .venv/.audit
	$(BIN)/python -m tests.audit

# The parsers under made-up files, SECONDS each, then a service of its own under CASES made-up requests or more
SECONDS ?= 600
CASES ?= 20000
fuzz: .venv/.fuzz
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --cases $(CASES) $(ARGS)

.venv/.audit: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[audit]'
	@touch $@

.venv/.fuzz: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	@touch $@
