# Two commands for a fresh Debian or Ubuntu machine: `make demo` and `make test`.
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check unit bench samples faults clean

demo: $(VENV)/ready ## analyse the bundled sample to the terminal and into reports/
	$(BIN)/hoptrace demo -o reports/seed.html -o reports/seed.json
	@echo "The same to look at: reports/seed.html, and as JSON: reports/seed.json"

test: $(VENV)/ready-for-tests check unit ## everything that CI runs

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit:
	$(BIN)/pytest

bench: $(VENV)/ready-for-tests ## speed against peers, on generated captures
	tests/install bench
	-$(BIN)/pip install --quiet --disable-pip-version-check pcapy-ng
	$(BIN)/python -m tests.bench.run
	$(BIN)/python -m tests.bench.run --growth

samples: $(VENV)/ready-for-tests ## record sample_pcaps/ anew from a real Docker Engine (root)
	tests/install live
	$(BIN)/python -m tests.lab.record

faults: $(VENV)/ready-for-tests ## precision and recall of findings, on recorded faults
	$(BIN)/python -m tests.lab.faults.score

$(VENV)/ready: pyproject.toml tests/install
	tests/install python
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/ready-for-tests: $(VENV)/ready
	tests/install tests
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
