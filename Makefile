# make demo    everything, from nothing: environment, problems, training, answers, tables, figures, report; played
#              from the answers that a 1.5B model gave before (data/records), and five problems answered here and now
# make smoke   the same with a live model: the embedded 135M one, two problems a benchmark
# make test    the tests
# make lint    style, types and the workflow's own checks
#
# CORES=4 jobs at once (two a core), PARAMS=params/paper.yaml another params file, PYTHON=python3.12 another Python.
PYTHON ?= python3
# Jobs wait for the model most of the time, so two for each core keep it busy.
CORES ?= $(shell $(PYTHON) -c "import os; print(2 * os.cpu_count())")
PARAMS ?= params/demo.yaml
VENV := .venv
BIN := $(VENV)/bin

# With no terminal, pip draws no bars and asks nothing.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo smoke test lint clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.run
	@$(BIN)/snakemake --cores $(CORES) --config params=$(PARAMS)
	@$(if $(filter params/demo.yaml,$(PARAMS)),$(BIN)/econ bank live --params $(PARAMS))
	@$(BIN)/econ results --params $(PARAMS)

smoke: $(VENV)/.run
	@$(BIN)/snakemake --cores $(CORES) --config params=params.yaml
	@$(BIN)/econ results --params params.yaml

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# One stamp per set of packages, renewed when what they are made from changes.
$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[openvino]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[openvino,dev]'
	@touch $@

# The environment alone: results and paid answers stay.
clean:
	rm -rf $(VENV)
