# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

ifneq ($(wildcard ../shared/data),)
export NANOTEXTURE_MIRROR ?= $(abspath ../shared/data)
endif

.PHONY: install run test bench bench-convert bench-crystal bench-inversion lint clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $(STAMP)

run: install
	$(BIN)/nanotexture run recipes/quickstart.toml --out runs

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# two processes, a file of tests each at a time, since files share slow fixtures
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

bench: install
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/phasing.py
	$(BIN)/python benchmarks/main_job.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/convert.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/forward.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/phasefield.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/suite.py 5

bench-convert: install
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/convert.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/stream.py

# the peer stands apart from the environment that is tested; learned.py takes two hours: ARGS="--folder DIR"
# keeps what is finished, so that the same command goes on
bench-crystal: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/peers cohere_core==4.5.4 tqdm
	OMP_NUM_THREADS=1 PYTHONPATH=$(VENV)/peers $(BIN)/python benchmarks/crystal.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/learned.py $(ARGS)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/distrust.py

# hours: FOLDER keeps what is finished, so that the same command goes on; ARGS as benchmarks/inversion.py --help says
FOLDER ?= runs/bench-inversion
bench-inversion: install
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/inversion.py --folder $(FOLDER) $(ARGS)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/learned_film.py runs/learned_film
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/denoised_film.py --folder runs/denoised_film

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
