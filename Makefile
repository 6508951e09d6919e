# Set-up, demo, tests and checks. They need Python 3.11, 3.12 or 3.13, pip and make. Another Python than
# `python3`: `make setup PYTHON=python3.12`.
# The interpreter below the virtual environment, in case that is active already.
PYTHON := $(shell python3 -I -c 'import sys; print(sys._base_executable)')
# It names the libraries of one interpreter, and no other can start with them.
unexport PYTHONHOME
# The cores that this process may use, fewer if they would need more memory than there is.
ifeq ($(strip $(CORES)),)
override CORES = $(or $(shell $(PYTHON) -I workflow/scripts/cactus/cores.py),1)
endif
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.set-up
CRATE_TOOLS := .venv-crate
DOCS_TOOLS := .venv-docs
# Jobs run `python`, which has to be the virtual environment's.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Wheels for Linux. The system's pip installs them, so ensurepip is not needed.
PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check

# Debian's packages, if missing: Slurm for test clusters, FUSE for their shared files, and accounting.
APT := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

.PHONY: demo test test-fast test-cluster test-nodes finished-run test-workflow test-here test-kernels test-plain-kernels test-avx2-kernels fuzz coverage bench gpu-check crate-tools browser-tools docs-tools docs cluster-tools accounting-tools check lock setup config-docs clean-demo

setup: $(SETUP)

# Without it, Python or a part of it would fail with words that name no package.
NEED = || { echo "$(1) is missing: install it (Debian, Ubuntu: apt install $(2)), then run make again" >&2; exit 1; }

$(SETUP): envs/requirements.lock pyproject.toml
	@test -n "$(PYTHON)" $(call NEED,Python 3.11,python3)
	@$(PYTHON) -I workflow/scripts/cactus/pythons.py
	@$(PYTHON) -m pip --version > /dev/null 2>&1 $(call NEED,pip,python3-pip)
	@$(PYTHON) -m venv --help > /dev/null 2>&1 $(call NEED,venv,python3-venv)
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	$(PIP) install --require-hashes --requirement envs/requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

demo: $(SETUP)
	$(BIN)/snakemake --cores $(CORES) --configfile config/demo.yaml

# Tests on the clusters mostly wait, so the others run at the same time.
test: $(SETUP) crate-tools
	$(MAKE) --jobs=4 --keep-going --output-sync=target test-cluster test-nodes test-workflow test-here
	rm -rf "$(FINISHED)"

# Bytecode is kept, whatever the machine wants: the tests import the package thousands of times.
KEPT := PYTHONDONTWRITEBYTECODE=

# Two processes with a cluster each, so that neither takes much longer than the other.
BESIDE := tests/cluster/test_outages.py tests/cluster/test_submission.py

test-cluster: $(SETUP)
	$(KEPT) $(BIN)/pytest tests/cluster $(addprefix --ignore=,$(BESIDE)) $(PYTEST_ARGS)

# A cluster of several nodes, which die, hang, see files late and have wrong clocks.
test-nodes: $(SETUP)
	$(KEPT) $(BIN)/pytest tests/nodes $(BESIDE) $(PYTEST_ARGS)

# Parts of `make test` share the cores, and threads of tiny operations mostly wait for each other:
# with one thread, networks of the tests take a quarter of the time. Threads that a test asks for
# sleep while they wait. `make test-kernels` has as many threads as there are cores.
ONE_THREAD := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(KEPT)

# Most tests of whole runs share a finished one, which they copy. It is made anew each time, outside
# this git repository.
FINISHED := $(or $(TMPDIR),/tmp)/cactus-finished-run$(subst /,-,$(CURDIR))

finished-run: $(SETUP)
	rm -rf "$(FINISHED)"
	$(ONE_THREAD) $(BIN)/python -m tests.workflow.finished_run "$(FINISHED)"

# Whole runs, apart from these, which balance the two.
APART := $(patsubst %,tests/workflow/%,crate/ paper/ test_custom_dataset.py test_custom_learner.py test_dry_run.py \
  test_end_to_end.py test_module.py test_slurm_profile.py test_variants.py)
WHOLE_RUNS := $(filter-out $(APART),$(wildcard tests/workflow/test_*.py tests/workflow/*/))
SHARED := CACTUS_TEST_PROJECT="$(FINISHED)"

test-workflow: $(SETUP) crate-tools finished-run
	$(SHARED) $(ONE_THREAD) $(BIN)/pytest tests/workflow $(addprefix --ignore=,$(APART)) $(PYTEST_ARGS)

# Everything else.
test-here: $(SETUP) crate-tools finished-run
	$(SHARED) $(ONE_THREAD) $(BIN)/pytest $(addprefix --ignore=,tests/cluster tests/nodes $(WHOLE_RUNS)) $(PYTEST_ARGS)

# The numeric tests with the kernels of a plain x86-64 and of an AVX2 processor.
NUMERIC_TESTS = tests/unit/evaluate/baselines tests/unit/meta/test_conv4.py tests/unit/tasks \
  $(shell find tests/unit -name 'test_golden*.py' -o -name 'test_*parity.py')

test-kernels: test-plain-kernels test-avx2-kernels

test-plain-kernels: $(SETUP)
	OMP_WAIT_POLICY=passive OPENBLAS_CORETYPE=Prescott MKL_CBWR=COMPATIBLE ONEDNN_MAX_CPU_ISA=SSE41 ATEN_CPU_CAPABILITY=default $(BIN)/pytest $(NUMERIC_TESTS) $(PYTEST_ARGS)

test-avx2-kernels: $(SETUP)
	OMP_WAIT_POLICY=passive OPENBLAS_CORETYPE=Haswell MKL_CBWR=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 $(BIN)/pytest $(NUMERIC_TESTS) $(PYTEST_ARGS)

# The fuzz tests with 100 times the examples of `make test`, drawn anew.
fuzz: $(SETUP)
	CACTUS_FUZZ_FACTOR=100 $(BIN)/pytest -m fuzz tests/unit tests/workflow $(PYTEST_ARGS)

# Every kernel against its rivals; BENCH_THREADS=1 on a busy machine.
KERNELS := kmeans logistic_regression knn mlp protonets_step embedding_step maml_step maml_evaluation dry_run audit commands grid_cost

bench: $(SETUP)
	$(PIP) install --quiet --no-deps --requirement envs/bench.in
	for kernel in $(KERNELS); do $(BIN)/python -m bench.$$kernel || exit 1; done
	$(BIN)/python -m bench.report

# What only a GPU can show, in any environment that has the libraries: GPU_PYTHON is its Python.
# DEVICE=cpu tests the check itself; docs/performance.md.
DEVICE := cuda
GPU_PYTHON := $(if $(wildcard $(BIN)/python),$(BIN)/python,python3)

gpu-check:
	PYTHONPATH=$(CURDIR):$(CURDIR)/workflow/scripts $(GPU_PYTHON) -m bench.gpu_check --device $(DEVICE)

# The reader of RO-Crates that the tests call, and the builder of the documentation. Each needs an
# environment of its own.
crate-tools: $(CRATE_TOOLS)/.set-up
docs-tools: $(DOCS_TOOLS)/.set-up

$(CRATE_TOOLS)/.set-up: envs/crate-tools.lock
$(DOCS_TOOLS)/.set-up: envs/docs.lock
$(CRATE_TOOLS)/.set-up $(DOCS_TOOLS)/.set-up:
	test -x $(@D)/bin/python || $(PYTHON) -m venv --without-pip $(@D)
	$(PYTHON) -m pip --python $(@D)/bin/python --disable-pip-version-check \
	  install --quiet --require-hashes --requirement $<
	touch $@

# The checker of accessibility that tests/report runs in Chromium; it needs npm.
BROWSER_TOOLS := tests/report/node_modules

browser-tools: $(BROWSER_TOOLS)/.set-up

$(BROWSER_TOOLS)/.set-up: tests/report/package-lock.json
	npm ci --prefix tests/report --ignore-scripts --no-audit --no-fund
	touch $@

# The documentation as a site in `site/`, with the same bytes at each build; stops at a broken link.
docs: docs-tools
	NO_MKDOCS_2_WARNING=1 SOURCE_DATE_EPOCH=315532800 $(DOCS_TOOLS)/bin/mkdocs build --strict

cluster-tools:
	which slurmctld slurmd squeue munged bindfs mkfs.exfat mount.exfat-fuse > /dev/null || \
	  { apt-get update -qq && $(APT) slurmctld slurmd slurm-client munge bindfs exfat-fuse exfatprogs; }

accounting-tools: cluster-tools
	which slurmdbd mariadbd > /dev/null || \
	  { apt-get update -qq && $(APT) slurmdbd mariadb-server; }

# The unit tests without the slow ones: no Slurm, no real data, no whole runs.
FAST := not (slow or workflow or cluster or accounting or real_data or network)

test-fast: $(SETUP)
	$(ONE_THREAD) $(BIN)/pytest -m "$(FAST)" $(PYTEST_ARGS)

# Lines and branches that the unit tests run, also in processes that inherit their environment.
coverage: $(SETUP)
	$(BIN)/coverage erase
	$(ONE_THREAD) $(BIN)/coverage run -m pytest tests/unit $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint

config-docs: $(SETUP)
	$(BIN)/python docs/config_reference.py
	$(BIN)/python -m docs.protocol_page
	$(BIN)/python -m docs.commands_page
	$(BIN)/python -m docs.exit_codes_page

# Locks for each Python that is supported, with the versions that they have, unless one has to change.
lock: $(SETUP)
	$(PIP) install --quiet uv
	for name in requirements crate-tools docs; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links --output-file envs/$$name.lock envs/$$name.in || exit 1; \
	done

clean-demo:
	rm -rf results/demo
