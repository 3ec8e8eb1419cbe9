"""Small forms of the recipes, and the command line run in this process: what the tests of whole runs share."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanotexture.cli import app, main

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
_FEW = ("invert.starts=4", "invert.batch=2")
_SMALL = (
    "invert.starts=2",
    "invert.batch=2",
    "invert.harmonics=2",
    "invert.polynomials=4",
    "simulate.places=20",
)
PRUNED = {
    "gold64": (
        "invert.starts=2",
        "invert.batch=2",
        "invert.threshold=0.1",
        "invert.coherence=partial",
        "invert.cycles=2",
        "invert.iterations=60",
        "invert.refine=40",
        "invert.hops=0",
    ),
    "staff54": (
        "crystal.size=[48, 64, 48]",
        "invert.starts=2",
        "invert.batch=2",
        "invert.threshold=0.1",
        "invert.coherence=partial",
        "invert.cycles=2",
        "invert.iterations=50",
        "invert.refine=40",
        "invert.hops=0",
    ),
    "quickstart": (*_FEW, "invert.harmonics=4", "invert.polynomials=8"),
    "lab_maps": ("input.voxel=['0.004 1/angstrom', '0.004 1/angstrom']",),
    "lmn40": (),
    "nno_6idb": (),
    "bfo_series": ("input.scans=[1, 6, 10]",),
    "staff54_frames": ("input.voxel=['0.002 1/angstrom', '0.002 1/angstrom', '0.002 1/angstrom']",),
    "train_texture": ("train.textures=40", "train.task=20", "train.epochs=2"),
    "train_film": ("train.films=12", "train.validation=4", "train.epochs=1", "train.task=6"),
    "train_crystal": (
        "train.particles=12",
        "train.validation=0.3",
        "train.epochs=1",
        "detector.decades=[5.0, 6.0]",
    ),
    "pto_kto": (*_FEW, "invert.harmonics=3", "invert.polynomials=4"),
    "sim_pto_sto_vortex": (
        *_SMALL,
        "simulate.hkl=[[0, 0, 2], [1, 0, 3]]",
        "simulate.texture.step=4 angstrom",
        "film.repeat=1",
        "simulate.voxels=[121, 81]",
    ),
    "sim_closure_domains": (*_SMALL, "simulate.hkl=[[0, 0, 2], [1, 0, 3]]", "simulate.voxels=[121, 81]"),
    "sim_supercrystal": (
        "invert.starts=1",
        "invert.harmonics=1",
        "invert.polynomials=2",
        "simulate.hkl=[[0, 0, 2], [0, 0, 3]]",
        "simulate.places=4",
        "simulate.orders=1.8",
        "simulate.voxels=[25, 25, 33]",
        "simulate.texture.points=16",
    ),
    "sim_cro_laminate_series": (
        *_SMALL,
        "simulate.hkl=[[0, 0, 6], [-2, 0, 6]]",
        "simulate.temperatures=['10 K', '150 K']",
        "simulate.voxels=[121, 81]",
    ),
}
HOW = (
    "add its --set changes to PRUNED in tests/recipes_pruned.py: few starts, fixed harmonics and polynomials"
)


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def last_json(self) -> dict[str, Any]:
        """The object on the last line of stdout."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


def nanotexture(*arguments: object) -> Ended:
    """A command in this process; a defect goes through as its exception, which the console script ends with 1."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(lambda: app([str(argument) for argument in arguments], prog_name="nanotexture"))
        except SystemExit as ended:
            status = int(ended.code or 0)
    return Ended(status, out.getvalue(), err.getvalue())


def changes(name: str) -> list[str]:
    """Arguments that make a recipe small."""
    assert name in PRUNED, f"recipes/{name}.toml has no pruned form: {HOW}"
    return [part for change in PRUNED[name] for part in ("--set", change)]


def arguments(name: str, out: Path, *more: object) -> list[str]:
    """`run` of a recipe's small form, without workers unless told."""
    told = [str(one) for one in more] or ["--cluster", "none"]
    return ["run", str(RECIPES / f"{name}.toml"), "--out", str(out), "--json", *changes(name), *told]


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder by relative path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
