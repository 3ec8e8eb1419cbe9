"""Textures that a denoiser learns from: on the solver's own modes, each fixed by its number, none of those held out."""

import numpy as np
import pytest
import torch
from nanotexture.phasing.modes import Modes, layer_profiles, legendre_profiles
from nanotexture.phasing.unknowns import Block, Unknowns
from nanotexture.priors.texture_modes import SHAPE, common_of_fields, places_of
from nanotexture.simulate.film_draws import HELD_OUT
from nanotexture.stages.texture_examples import (
    PARTS,
    TextureExamplesConfig,
    make_texture_examples,
)

Z = np.arange(24) * 4.0
PERIOD, LEAN = 90.0, 0.004


def unknowns(polar):
    """Displacement through the film and polarization in its polar planes, three harmonics."""
    through = legendre_profiles(z=Z, number=5, thickness=96.0)
    layer = polar.astype(np.int64)
    within = layer_profiles(z=Z, layer=layer, number={0: 2, 1: 4})
    moved = Modes(3, through, PERIOD, lean=LEAN)
    charged = Modes(3, within, PERIOD, constant=True, lean=LEAN)
    blocks = [Block(m, 2, torch.ones(2, len(m.index), dtype=torch.float64), 1.0) for m in (moved, charged)]
    return Unknowns(tuple(blocks), 32)


def test_the_solvers_coefficients_and_those_of_its_fields_are_the_same_on_the_common_modes():
    polar = Z > 30.0
    some = unknowns(polar)
    axes = np.array([[1.0, 0.0], [0.0, -1.0]])
    places = places_of(some, axes=axes, polar_axes=np.eye(2), period=PERIOD, polar=polar, tied=False)
    c = torch.randn(1, some.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    whole = places.common(c)[0].reshape(SHAPE).numpy()
    fields = some.fields(c)[0].numpy()
    fields[1] *= -1.0  # along -z
    moved = common_of_fields(fields[:2] / PERIOD, z=Z, thickness=96.0, lean=LEAN)
    charged = common_of_fields(fields[2:][..., polar], z=Z[polar], thickness=96.0, lean=LEAN)
    assert np.allclose(whole[:2], moved, atol=1e-9)
    assert np.allclose(whole[2:], charged, atol=1e-9)


def test_a_displacement_that_is_tied_to_the_polarization_has_no_place():
    polar = Z > 30.0
    tied = places_of(
        unknowns(polar), axes=np.eye(2), polar_axes=np.eye(2), period=PERIOD, polar=polar, tied=True
    )
    fields = np.unravel_index(tied.places.numpy(), SHAPE)[0]
    assert set(fields.tolist()) == {2, 3}


@pytest.fixture(scope="module")
def made():
    config = TextureExamplesConfig(seed=4, superlattices=0.3, numbers=tuple(range(16)))
    return make_texture_examples(config=config)


def test_a_texture_is_fixed_by_its_number(made):
    one = make_texture_examples(config=TextureExamplesConfig(seed=4, superlattices=0.3, numbers=(7,)))
    assert np.array_equal(one["coefficient"].values[0], made["coefficient"].values[7])


def test_families_held_out_are_never_learnt_from(made):
    assert not set(HELD_OUT) & set(PARTS)
    assert set(made["family"].values) <= {*PARTS, "superlattice"}


def test_fields_that_a_texture_has_are_there_and_no_others(made):
    there = (np.abs(made["coefficient"].values).max(axis=(2, 3, 4)) > 0).astype(int)
    assert np.array_equal(there, made["given"].values)
    superlattice = made["family"].values == "superlattice"
    assert superlattice.any()
    assert (made["given"].values[superlattice] == [0, 0, 1, 1]).all()
