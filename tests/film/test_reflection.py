"""What the forward model holds fixed: sizes, groups of atoms, and refusals of what cannot work, with what would."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.film.forward import amplitudes
from nanotexture.film.limits import cost_of_texture
from nanotexture.film.materials import built_in
from nanotexture.film.reflection import Sampling
from nanotexture.film.stack import Layer, Stack, Substrate

from .textures import SINGLE, SUPERLATTICE, A, model


def test_groups_are_the_atoms_that_move_alike_and_none_is_lost():
    """PbTiO3: lead, titanium and three oxygens move differently; a cubic cell moves as one."""
    polar = model(SUPERLATTICE, (0, 0, 2), 8)
    assert sorted(len(part.per_polarization) for part in polar.parts) == [1, 5]
    merged = model(SUPERLATTICE, (0, 0, 2), 8, polar=False)
    for part, whole in zip(polar.parts, merged.parts, strict=True):
        torch.testing.assert_close(part.weight.sum(0), whole.weight[0])
    planes = torch.cat([part.planes for part in polar.parts]).sort().values
    assert planes.tolist() == list(range(14))
    assert (polar.planes, polar.grid, polar.expansion) == (14, (8, 1), 3)


def test_a_layer_of_another_c_is_a_part_of_its_own():
    lead = built_in("PbTiO3")
    stack = Stack(A, (Layer(lead, 2, 4.08), Layer(lead, 3, 4.02)))
    assert [part.planes.tolist() for part in model(stack, (0, 0, 2), 8).parts] == [[0, 1], [2, 3, 4]]


@given(st.integers(0, 12), st.integers(1, 40))
@settings(max_examples=60)
def test_the_grid_that_a_refusal_names_works_and_one_less_does_not(order, samples):
    if samples >= 2 * order + 1:
        Sampling((100.0, A), (samples, 1), (order, 0))
        return
    with pytest.raises(UserError, match="grid") as caught:
        Sampling((100.0, A), (samples, 1), (order, 0))
    needed = int(re.search(r"nx = (\d+) is the least", str(caught.value))[1])
    Sampling((100.0, A), (needed, 1), (order, 0))
    with pytest.raises(UserError):
        Sampling((100.0, A), (needed - 1, 1), (order, 0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Layer(built_in("PbTiO3"), 0, 4.0), "PbTiO3: cells: expected 1 or more, found 0"),
        (
            lambda: Layer(built_in("PbTiO3"), 3, -4.0),
            "PbTiO3: c: expected a length above 0 angstrom, found -4",
        ),
        (lambda: Layer(built_in("PbTiO3"), 3, float("nan")), "c: expected a length"),
        (lambda: Stack(0.0, SINGLE.layers), "in_plane: expected a length above 0"),
        (lambda: Stack(A, ()), "layers: expected at least one"),
        (lambda: Stack(A, SINGLE.layers, 0), "repeat: expected 1 or more"),
        (lambda: Substrate(built_in("KTaO3"), 0.0), "substrate KTaO3: c: expected a length"),
        (lambda: Sampling((-5.0, A), (8, 1), (1, 0)), "period along x: expected a length above 0"),
        (lambda: Sampling((5.0, float("inf")), (8, 1), (1, 0)), "period along y"),
        (lambda: Sampling((5.0, A), (8, 1), (-1, 0)), "orders along x: expected 0 or more"),
        (lambda: model(SINGLE, (0, 0, 2), 8, roughness=-1.0), "roughness: expected a length of 0"),
        (lambda: model(SINGLE, (0, 0, 2), 8, expansion=-1), "expansion: expected 0 or more"),
        (lambda: model(SINGLE, (0, 0, 2), 8, qz=np.array([])), "qz: expected at least one"),
        (lambda: model(SINGLE, (0, 0, 2), 8, qz=np.array([np.nan])), "qz: expected at least one finite"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make, words):
    with pytest.raises(UserError, match=re.escape(words).replace(r"\ ", " ")):
        make()


def test_a_grid_that_overruns_memory_is_refused_with_one_that_fits():
    limit = 20e6
    with pytest.raises(UserError, match="bytes") as caught:
        model(SUPERLATTICE, (0, 0, 2), 256, 256, (2, 2), memory_limit=limit)
    fits = re.search(r"(\d+) x (\d+) samples fit", str(caught.value))
    nx, ny = int(fits[1]), int(fits[2])
    assert 10 < nx < 256
    model(SUPERLATTICE, (0, 0, 2), nx, ny, (2, 2), memory_limit=limit)
    with pytest.raises(UserError):
        model(SUPERLATTICE, (0, 0, 2), nx + 1, ny + 1, (2, 2), memory_limit=limit)


def test_the_bytes_that_are_announced_are_those_that_a_gradient_keeps():
    """Within a factor of three of what autograd stores for one texture."""
    stack = Stack(A, SUPERLATTICE.layers, 8)
    reflection = model(stack, (1, 0, 3), 24, orders=(6, 0), qz=np.linspace(4.5, 4.8, 40))
    stored = 0

    def keep(tensor):
        nonlocal stored
        stored += tensor.numel() * tensor.element_size()
        return tensor

    u = torch.zeros(3, 24, 1, reflection.planes, dtype=torch.float64, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        amplitudes(reflection, u, u)
    cost = cost_of_texture(
        orders=13, group_planes=24 + 32 * 5, rows=40, expansion=3, directions=2, itemsize=16
    )
    assert stored / 3 < cost.total((24, 1)) < 3 * stored
