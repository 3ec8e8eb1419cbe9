"""The result of one crystal: groups of the contract's layout from the artefacts of its stages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nanotexture import schema
from nanotexture.chunks import ALL_WRITTEN
from nanotexture.quantities import CrystalAnswers, CrystalChoice, CrystalClusters, CrystalGuess, Diffraction

TWIN = (
    "One Bragg peak cannot tell a crystal from its twin, turned through a point with its displacement reversed: "
    "both give this pattern."
)
_FROM_START = (
    "start",
    "axis",
    "cost",
    "free_cost",
    "deviance",
    "background",
    "coherence_width",
    "iterations",
)
_OBJECT = tuple(name for name in schema.OBJECT if name not in ("x", "y", "z"))
_ZERO_OUTSIDE = ("amplitude", "support", "density_real", "density_imag")


def crystal_tree(
    diffraction: Diffraction,
    choice: CrystalChoice,
    guess: CrystalGuess | None,
    clusters: CrystalClusters,
    answers: CrystalAnswers,
    attrs: Mapping[str, Any],
    warnings: tuple[str, ...],
) -> xr.DataTree:
    """All groups of result.zarr of one crystal."""
    root = dict(attrs) | {"warnings": json.dumps(list(warnings))} | ALL_WRITTEN
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=root),
            "/object": _object(diffraction, choice, guess, clusters, answers),
            "/diffraction": _diffraction(diffraction, clusters),
            "/solutions": _solutions(clusters),
            "/clusters": _clusters(clusters, answers),
            "/choice": choice,
        }
    )


def _object(
    diffraction: Diffraction,
    choice: CrystalChoice,
    guess: CrystalGuess | None,
    clusters: CrystalClusters,
    answers: CrystalAnswers,
) -> xr.Dataset:
    """The representative of the best cluster in the whole array: its transform is on the grid of the pattern."""
    voxel = json.loads(diffraction.attrs["voxel"])
    shape = diffraction["intensity"].shape
    whole = {name: (np.arange(n) - float(n // 2)) * v for name, n, v in zip("xyz", shape, voxel, strict=True)}
    place = tuple(
        slice(first, first + answers.sizes[name])
        for name, first in ((n, _first(answers[n].values, whole[n])) for n in "xyz")
    )
    values: dict[str, Any] = dict(whole)
    for name in _OBJECT:
        outside = 0 if name in _ZERO_OUTSIDE else np.nan
        found = np.full(shape, outside, dtype=answers[name].dtype)
        found[place] = answers[name].values[0]
        values[name] = found
    return schema.labelled(
        values, schema.OBJECT, _attrs(diffraction, choice, clusters, answers) | prior_attrs(guess)
    )


def prior_attrs(guess: CrystalGuess | None) -> dict[str, Any]:
    """What came of the learned prior: "none", "used" or "out of distribution"; free chi2 and spread of its guess, and limits."""
    if guess is None:
        return {"prior": "none"}
    said = "used" if int(guess["trusted"]) else "out of distribution"
    told = {"free_chi2": "free_cost"} | {name: name for name in ("limit", "spread", "spread_limit", "sure")}
    return {"prior": said} | {f"prior_{name}": float(guess[entry]) for name, entry in told.items()}


def _first(part: np.ndarray, whole: np.ndarray) -> int:
    return int(np.argmin(np.abs(whole - part[0])))


def _attrs(
    diffraction: Diffraction, choice: CrystalChoice, clusters: CrystalClusters, answers: CrystalAnswers
) -> dict[str, Any]:
    best = int(clusters["representative"][0])
    return {
        "chi2": float(clusters["cost"][best]),
        "free_chi2": float(clusters["free_cost"][best]),
        "deviance": float(clusters["deviance"][best]),
        "inversion": "unresolved",
        "inversion_comment": TWIN,
        "hkl": diffraction.attrs["hkl"],
        "d_spacing": diffraction.attrs["d_spacing"],
        "q": answers.attrs["q"],
        "q_direction": diffraction.attrs["q_direction"],
        "sampling": diffraction.attrs["sampling"],
        "voxel": diffraction.attrs["voxel"],
        **{name: diffraction.attrs[name] for name in ("peak",) if name in diffraction.attrs},
        "phase_ramp": answers.attrs["phase_ramp"],
        "threshold": float(choice["threshold"]),
        "beam": "partly coherent" if int(choice["partly_coherent"]) else "coherent",
        "coherence_width": json.dumps([float(v) for v in clusters["coherence_width"][best].values]),
        "background": float(clusters["background"][best]),
        "members": int((clusters["cluster"] == 0).sum()),
        "weight": float(clusters["weight"][0]),
    }


def _diffraction(diffraction: Diffraction, clusters: CrystalClusters) -> xr.Dataset:
    intensity, mask = diffraction["intensity"].values, diffraction["mask"].values
    values = {
        "intensity": np.where(mask == 0, intensity, np.nan),
        "variance": np.where(mask == 0, _variance(diffraction), np.nan),
        "mask": mask,
        "held_out": diffraction["held_out"].values,
        "model": clusters["model"].values,
        "prtf": clusters["prtf"].values,
        **{name: diffraction[name].values for name in ("qx", "qy", "qz")},
    }
    return schema.labelled(values, schema.RESULT_DIFFRACTION)


def _variance(diffraction: Diffraction) -> np.ndarray:
    """N / e^2 of N = e n photons, at least 1 / e^2."""
    intensity = diffraction["intensity"].values
    exposure = diffraction["exposure"].values if "exposure" in diffraction else np.ones_like(intensity)
    return np.asarray(np.maximum(intensity * exposure, 1.0) / exposure**2)


def _solutions(clusters: CrystalClusters) -> xr.Dataset:
    names = (*_FROM_START, "outcome", "cluster", "twinned")
    return schema.labelled({n: clusters[n].values for n in names}, schema.RESULT_CRYSTAL_SOLUTIONS)


def _clusters(clusters: CrystalClusters, answers: CrystalAnswers) -> xr.Dataset:
    values: dict[str, Any] = {str(name): answers[name].values for name in answers.variables}
    values |= {
        "weight": clusters["weight"].values,
        "cost": clusters["cluster_cost"].values,
        "free_cost": clusters["cluster_free_cost"].values,
        "spread": clusters["spread"].values,
        "representative": clusters["representative"].values,
    }
    return schema.labelled(values, schema.RESULT_CRYSTAL_CLUSTERS)
