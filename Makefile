# Two commands for a fresh Debian or Ubuntu machine: `make demo` and `make test`.
VENV := .venv
BIN := $(VENV)/bin
LOCK := tests/requirements.txt
KERNEL := $(wildcard analyzer/kernel/*.p*)

.PHONY: demo test check unit bench samples faults parts fuzz sanitize hostile kernel mutants docs image wheel fresh lock clean

demo: $(VENV)/ready ## analyse the bundled sample to the terminal and into reports/
	$(BIN)/hoptrace demo -o reports/demo.html -o reports/demo.json
	@echo "The same to look at: reports/demo.html, and as JSON: reports/demo.json"

test: $(VENV)/ready-for-tests check unit ## everything that CI runs

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit:
	BIN=$(BIN) tests/both $(PYTEST)

bench: $(VENV)/ready-for-tests ## speed against peers, on generated captures and on a busy Docker host (ten minutes)
	tests/install bench
	$(BIN)/python -m tests.bench.run
	$(BIN)/python -m tests.bench.run --growth

samples: $(VENV)/ready-for-tests ## record sample_pcaps/ anew from a real Docker Engine (root)
	$(BIN)/python -m tests.lab.record

faults: $(VENV)/ready-for-tests ## precision and recall of findings, on recorded faults
	$(BIN)/python -m tests.lab.faults.score

parts: $(VENV)/ready-for-tests ## every recording in many parts, in files, by processes and a Dask cluster: the same bytes (an hour)
	$(BIN)/python -m tests.run.every

fuzz: $(VENV)/ready-for-tests ## 100,000 inputs that were changed at random, and every beginning of ten captures (an hour)
	$(BIN)/python -m tests.fuzz.run

sanitize: $(VENV)/ready-for-tests ## 10,000,000 changed frames to what is compiled, with sanitizers, and to dpkt (an hour)
	$(BIN)/python -m tests.kernel.sanitize

hostile: $(VENV)/ready-for-tests ## inputs that mean harm, with their limits of memory and time (half an hour)
	$(BIN)/python -m tests.hostile.run

kernel: $(VENV)/ready-for-tests ## 20,000 packets through rules and routes that nobody chose: hoptrace's judge and the kernel
	$(BIN)/python -m tests.replay.kernel

mutants: $(VENV)/ready-for-tests ## share of mutants that the tests kill, package by package, on a fixed sample (an hour)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut>=3.8,<4'
	nice $(BIN)/python -m tests.mutants

docs: $(VENV)/ready-for-tests ## the documentation as a site, in reports/site
	$(BIN)/sphinx-build -q -W --keep-going -b dirhtml docs reports/site

image: ## build an image of hoptrace with the Docker Engine that is there; tests/image --try tries it in the lab (root)
	tests/image

wheel: ## build a wheel, and try it with every Python from 3.11 on that is there
	tests/wheel

fresh: ## both commands on Debian 12 and 13 as they are installed, as root and as a user (root)
	tests/install fresh
	tests/fresh

lock: $(VENV)/ready-for-tests ## renew the versions that tests use, in $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	    --generate-hashes --all-extras --no-header --no-annotate --output-file $(LOCK) pyproject.toml

$(VENV)/ready: pyproject.toml tests/install $(KERNEL)
	tests/install venv
	@echo "installing hoptrace and the Python packages it uses (some 60 MB) into $(VENV)"
	$(BIN)/python -m pip install --disable-pip-version-check --editable .
	@touch $@

$(VENV)/ready-for-tests: pyproject.toml tests/install tests/packages.txt $(LOCK) $(KERNEL)
	tests/install venv
	tests/install tests
	@echo "installing what tests use (some 200 MB), as $(LOCK) has it, into $(VENV)"
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(VENV)/ready $@

clean:
	rm -rf $(VENV) mutants mutants.log .mypy_cache .ruff_cache .pytest_cache .hypothesis
