"""The page of a crystal says no more than its starts do, and can be drawn where strain or spread are unknown."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from nanotexture import schema
from nanotexture.phasing.outcome import Outcome
from nanotexture.report.crystal_page import verdict
from nanotexture.report.figures_crystal import cropped, slices_figure, surface_figure, transfer_figure

SHAPE = (20, 18, 16)


def crystal(deviance: float = 2.0, std: float = 0.1, strain: bool = True) -> xr.Dataset:
    r = np.meshgrid(*(np.arange(n) - n // 2 for n in SHAPE), indexing="ij")
    inside = sum(x**2 for x in r) < 25
    phase = np.where(inside, 0.1 * r[0], np.nan)
    values = {
        **{name: (np.arange(n) - n // 2) * 50.0 for name, n in zip("xyz", SHAPE, strict=True)},
        "amplitude": inside.astype(float),
        "phase": phase,
        "displacement_along_q": phase / 2.67,
        "strain_along_q": np.where(inside, 1e-4, np.nan) if strain else np.full(SHAPE, np.nan),
        "support": inside.astype(np.uint8),
        "density_real": inside.astype(float),
        "density_imag": np.zeros(SHAPE),
        "phase_std": np.where(inside, std, np.nan),
    }
    return schema.labelled(values, schema.OBJECT, {"deviance": deviance})


def starts(clusters: list[int]) -> xr.Dataset:
    n = len(clusters)
    values = {
        **{name: np.ones(n) for name in ("cost", "free_cost", "deviance", "background")},
        "start": np.arange(n),
        "axis": ["x", "y", "z"],
        "coherence_width": np.zeros((n, 3)),
        "iterations": np.ones(n, int),
        "outcome": [str(Outcome.CONVERGED)] * n,
        "cluster": np.array(clusters),
        "twinned": np.zeros(n, int),
    }
    return schema.labelled(values, schema.RESULT_CRYSTAL_SOLUTIONS)


@pytest.mark.parametrize(
    ("found", "clusters", "words"),
    [
        (crystal(), [0, 0, 0, 1], "Solved: 3 of 4 starts agree"),
        (crystal(std=0.8), [0, 0, 0, 1], "displacements are rough"),
        (crystal(), [0, 0, 1, 2, 3], "fewer than half"),
        (crystal(), [0, 1, 2], "One start alone"),
        (crystal(deviance=300.0), [0, 0, 0], "Not solved"),
    ],
)
def test_the_verdict_is_what_the_starts_allow(found: xr.Dataset, clusters: list[int], words: str) -> None:
    assert words in verdict(found, starts(clusters))


def test_a_crystal_is_cut_out_with_a_margin() -> None:
    part = cropped(crystal())
    assert [part.sizes[n] for n in "xyz"] == [15, 15, 15]
    assert part["support"].sum() == crystal()["support"].sum()


def test_what_is_unknown_is_not_drawn() -> None:
    assert len(slices_figure(crystal()).axes) == 4 * 3 + 4
    assert len(slices_figure(crystal(std=np.nan, strain=False)).axes) == 2 * 3 + 2
    assert len(surface_figure(crystal()).axes) == 4


def test_without_other_starts_there_is_no_transfer_of_phases() -> None:
    nothing = np.full(SHAPE, np.nan)
    pattern = {
        **{f"q{name}": np.arange(float(n)) for name, n in zip("xyz", SHAPE, strict=True)},
        **{name: np.ones(SHAPE) for name in ("intensity", "variance", "model")},
        **{name: np.zeros(SHAPE, np.uint8) for name in ("mask", "held_out")},
        "prtf": nothing,
    }
    assert transfer_figure(schema.labelled(pattern, schema.RESULT_DIFFRACTION)) is None
