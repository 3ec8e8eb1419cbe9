"""Textures that the model cannot describe are refused, and the number in the message is one that works."""

import math
import re

import numpy as np
import pytest
import torch
from nanotexture.errors import UserError
from nanotexture.film.limits import (
    Cost,
    expansion_for,
    refuse_memory,
    refuse_texture,
    refuse_voxels,
    remainder,
)

from .textures import SINGLE, SUPERLATTICE, leaning, model, tensors


def test_a_good_texture_passes_alone_and_in_a_batch():
    u, p = tensors(*leaning(SUPERLATTICE, 16))
    reflection = model(SUPERLATTICE, (1, 0, 3), 16)
    refuse_texture(reflection, u, p)
    refuse_texture(reflection, u[None, None], None)


def test_polarization_above_one_and_a_half_is_refused():
    u, p = tensors(*leaning(SUPERLATTICE, 16))
    reflection = model(SUPERLATTICE, (0, 0, 2), 16)
    p = p / torch.linalg.vector_norm(p, dim=0).max()
    refuse_texture(reflection, u, 1.49 * p)
    with pytest.raises(UserError, match=r"polarization: expected at most 1.5 C/m\^2, found 1.51"):
        refuse_texture(reflection, u, 1.51 * p)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda u: u[:2], "displacement: expected a shape that ends in .3, 16, 1, 14."),
        (lambda u: u[:, :8], "displacement: expected a shape"),
        (lambda u: u[..., 1:], "displacement: expected a shape"),
        (lambda u: torch.where(u == u.max(), torch.nan, u), "displacement: expected finite"),
    ],
)
def test_a_field_of_another_shape_or_with_gaps_is_refused(spoil, words):
    u, _ = tensors(*leaning(SUPERLATTICE, 16))
    with pytest.raises(UserError, match=words):
        refuse_texture(model(SUPERLATTICE, (0, 0, 2), 16), spoil(u), None)


@pytest.mark.parametrize(("axis", "name"), [(0, "x"), (1, "y")])
def test_a_texture_that_turns_too_far_between_samples_is_refused_with_a_grid_that_works(axis, name):
    def wave(samples):
        shape = [1, 1, 1]
        shape[axis] = samples
        u = np.zeros((3, *(samples if i == axis else 3 for i in (0, 1)), 12))
        u[2] = 0.9 * np.sin(2 * np.pi * np.arange(samples) / samples).reshape(shape)
        return u

    def refuse(samples):
        grid = [3, 3]
        grid[axis] = samples
        (u,) = tensors(wave(samples))
        refuse_texture(
            model(SINGLE, (0, 0, 4), *grid, orders=(1, 1), periods=(80.0, 80.0), expansion=5), u, None
        )

    with pytest.raises(UserError, match=f"n{name} = ") as caught:
        refuse(5)
    needed = int(re.search(rf"n{name} = (\d+) in place of 5", str(caught.value))[1])
    refuse(needed)


def test_a_wall_of_polarization_that_is_too_sharp_in_any_material_is_refused():
    """+1.4 to -1.4 C/m^2 between two samples moves the apical oxygen of PbTiO3 by 1.02 angstrom: 6.4 rad at 004."""
    u = torch.zeros(3, 16, 1, 14, dtype=torch.float64)
    p = u.clone()
    p[2, :8], p[2, 8:] = 1.4, -1.4
    with pytest.raises(UserError, match=r"changes by 6\.\d+ rad from one sample along x"):
        refuse_texture(model(SUPERLATTICE, (0, 0, 4), 16), u, p)
    refuse_texture(model(SUPERLATTICE, (0, 0, 4), 16), u, 0.3 * p)


def test_a_series_that_is_too_short_is_refused_with_a_power_that_works():
    u, p = tensors(*leaning(SUPERLATTICE, 32, size=1.0))
    with pytest.raises(UserError, match="expansion") as caught:
        refuse_texture(model(SUPERLATTICE, (0, 0, 2), 32, expansion=1), u, p)
    power = int(re.search(r"; (\d+) works", str(caught.value))[1])
    assert power > 1
    refuse_texture(model(SUPERLATTICE, (0, 0, 2), 32, expansion=power), u, p)


def test_the_remainder_is_the_next_term_of_the_exponential_at_the_corner_of_the_map():
    u = torch.zeros(3, 8, 1, 12, dtype=torch.float64)
    u[0], u[2] = 0.2, -0.4
    reflection = model(SINGLE, (0, 0, 2), 8, periods=(50.0, 3.9), orders=(3, 0))
    far = 3 * 2 * math.pi / 50 * 0.2 + 0.12 * 0.4
    assert remainder(reflection, u, None) == pytest.approx(far**4 / 24, rel=1e-9)
    power = expansion_for(reflection, u, None, 1e-7)
    assert far ** (power + 1) / math.factorial(power + 1) < 1e-7 < far**power / math.factorial(power)


def test_a_map_that_overruns_memory_is_refused_with_the_voxels_that_fit():
    refuse_voxels(shape=(10, 10, 10), itemsize=8, limit=24_000)
    with pytest.raises(UserError, match="bytes") as caught:
        refuse_voxels(shape=(10, 10, 10), itemsize=8, limit=23_999)
    assert "999 voxels fit" in str(caught.value)


def test_where_no_grid_fits_the_message_says_what_else_to_take_less_of():
    with pytest.raises(UserError, match="fewer planes"):
        refuse_memory(cost=Cost(fixed=1e6, per_sample=10.0), limit=1e5, grid=(8, 1))
    refuse_memory(cost=Cost(fixed=1e6, per_sample=10.0), limit=1.1e6, grid=(8, 1))
