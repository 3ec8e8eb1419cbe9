"""A recipe of one crystal as a job."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanotexture.engine.task import Task
from nanotexture.job import Getter
from nanotexture.memory import BASE
from nanotexture.plan_crystal import CrystalPlan, plan_crystal
from nanotexture.quantities import CrystalAnswers, CrystalChoice, CrystalClusters, CrystalGuess, Diffraction
from nanotexture.recipe_crystal import CrystalRecipe
from nanotexture.store_crystal import TWIN, crystal_tree

LOADED, PER_VOXEL = (
    130 * 2**20,
    300,
)  # bytes: torch's transforms, and what a start holds; measured at 64^3 and 112^3
NOMINAL = (
    "crystal.nominal = true: voxel sizes and the direction of Q are assumed, not measured; lengths and strain hold as far as "
    "these do, phase, displacement along Q and chi2 do not depend on them."
)
OF_FRAMES = 700 * 2**20  # bytes: a few frames, and the sums of a volume of some million voxels
PEAK = (
    "The geometry puts the peak at |Q| = {found:.4f} 1/angstrom, {off:+.2f} % from {told:.4f} of the lattice told: lengths "
    "are uncertain by as much, strain is measured from the crystal's own mean lattice."
)
SHARED = (
    "convert.shared = true: a voxel's counts are shares of pixels and scatter less than Poisson says: counting noise alone "
    "leaves a deviance of about 0.45, not 1, where pixels are as wide as voxels along two axes."
)
STRANGE = (
    "invert.prior: this pattern is out of the distribution that the network learnt from, by the free chi2 of its guess "
    "or the spread of its answers; all starts began from random phases."
)
NO_DIRECTION = "crystal.q is not told, the direction of Q along the array's axes: strain_along_q stays NaN."


@dataclass(frozen=True)
class CrystalJob:
    """One crystal planned, nothing computed."""

    recipe: CrystalRecipe
    plan: CrystalPlan

    @property
    def name(self) -> str:
        """Name of the recipe, and of its folder."""
        return self.recipe.name

    @property
    def files(self) -> tuple[Path, ...]:
        """Input files, each once."""
        return self.plan.files

    @property
    def wanted(self) -> tuple[Task, ...]:
        """Tasks whose artefacts the result is made of."""
        return self.plan.wanted

    @property
    def notes(self) -> tuple[str, ...]:
        """What the input cannot give."""
        told = self.recipe.crystal
        convert = self.recipe.convert
        if convert is not None:
            return (SHARED,) if convert.shared else ()
        return ((NOMINAL,) if told.nominal else ()) + ((NO_DIRECTION,) if told.q is None else ())

    @property
    def worker_bytes(self) -> int:
        """Peak memory of one worker, from the array's header or the size of the box."""
        gridding = 0 if self.recipe.convert is None else OF_FRAMES
        return BASE + max(LOADED + PER_VOXEL * math.prod(self.plan.shape), gridding)

    def tree(self, get: Getter, attrs: Mapping[str, Any]) -> xr.DataTree:
        """All groups of result.zarr from the artefacts."""
        diffraction = Diffraction(get(self.plan.diffraction))
        guess = None if self.plan.guess is None else CrystalGuess(get(self.plan.guess))
        strange = guess is not None and not int(guess["trusted"])
        return crystal_tree(
            diffraction,
            CrystalChoice(get(self.plan.choice)),
            guess,
            CrystalClusters(get(self.plan.clusters)),
            CrystalAnswers(get(self.plan.answers)),
            attrs,
            (*self.notes, *_place_of_peak(diffraction), *((STRANGE,) if strange else ()), TWIN),
        )


def _place_of_peak(diffraction: Diffraction) -> tuple[str, ...]:
    """How far the geometry of frames puts the peak from where the lattice has it."""
    if "peak" not in diffraction.attrs:
        return ()
    found = float(np.linalg.norm(json.loads(diffraction.attrs["peak"])))
    told = 2 * math.pi / float(diffraction.attrs["d_spacing"])
    return (PEAK.format(found=found, told=told, off=100 * (found / told - 1)),)


def crystal_job(recipe: CrystalRecipe, path: Path) -> CrystalJob:
    """The job of a recipe of one crystal; reads headers, computes nothing."""
    return CrystalJob(recipe, plan_crystal(recipe, path))
