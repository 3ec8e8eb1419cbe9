"""Vorticity, winding numbers and cores of textures whose topology is known."""

import numpy as np
import pytest
from nanotexture.simulate.closure import Closure, motif_from_closure
from nanotexture.simulate.vortices import Vortices, motif_from_vortices
from nanotexture.stages.domains import layer_numbers
from nanotexture.texture.topology import (
    cores_from_polarization,
    counted,
    resolved_layers,
    vorticity_from_polarization,
    winding_of_plaquettes,
)
from nanotexture.texture.vortices import counted_cores

from .films import FILM, SUPERLATTICE

PERIOD = 110.0


@pytest.fixture(scope="module")
def vortices():
    motif = motif_from_vortices(stack=SUPERLATTICE, texture=Vortices(period=PERIOD))
    return motif.polarization[[0, 2], :, 0]


@pytest.fixture(scope="module")
def closure():
    return motif_from_closure(stack=FILM, texture=Closure(period=140.0)).polarization[[0, 2], :, 0]


def cores(p, stack, period, std=0.0):
    layers = layer_numbers(np.array(stack.plane_materials))
    return cores_from_polarization(
        polarization=p, std=np.full_like(p, std), period=period, z=stack.heights, layers=layers
    )


def test_vorticity_of_a_rigid_turn_is_twice_its_rate():
    z = np.arange(12) * 4.0
    x = np.arange(32) / 32
    p = np.stack([np.broadcast_to(0.01 * z, (32, 12)), np.zeros((32, 12))])
    np.testing.assert_allclose(vorticity_from_polarization(polarization=p, period=128.0, z=z), 0.01e10)
    wave = np.stack([np.zeros((32, 12)), np.sin(2 * np.pi * x)[:, None] * np.ones(12)])
    expected = -2 * np.pi / 128.0 * 1e10 * np.cos(2 * np.pi * x)[:, None] * np.ones(12)
    np.testing.assert_allclose(
        vorticity_from_polarization(polarization=wave, period=128.0, z=z), expected, atol=1.0
    )


@pytest.mark.parametrize(("sense", "winding"), [((1, -1), 1), ((-1, 1), 1), ((1, 1), -1), ((-1, -1), -1)])
def test_both_senses_of_a_vortex_wind_by_one_and_an_antivortex_by_minus_one(sense, winding):
    x, z = (
        np.arange(10)[:, None] - 4.5 + 0 * np.arange(10),
        np.arange(10)[None] - 4.5 + 0 * np.arange(10)[:, None],
    )
    found = winding_of_plaquettes(np.stack([sense[0] * z, sense[1] * x]))
    assert found[4, 4] == winding
    assert np.abs(found[:9]).sum() == 1


def test_a_superlattice_has_two_vortices_of_opposite_sense_in_every_polar_layer(vortices):
    found = cores(vortices, SUPERLATTICE, PERIOD)
    assert found.layer.tolist() == [1, 1, 3, 3]
    assert found.winding.tolist() == [1, 1, 1, 1]
    np.testing.assert_allclose(found.x, [0.25, 0.75, 0.25, 0.75], atol=0.005)
    middle = [10 * 3.9 + 7.5 * 4.03, 20 * 3.9 + 23.5 * 4.03]
    np.testing.assert_allclose(found.z, np.repeat(middle, 2), atol=0.6)
    assert (np.sign(found.circulation) == [1, -1, 1, -1]).all()
    assert counted(found, 1) == (2, 0)
    assert counted(found, 0) == (0, 0)


def test_circulation_is_the_line_integral_around_half_a_period_of_the_layer(vortices):
    """P_z up one side of the cell and down the other, P_x along both faces."""
    planes = slice(10, 26)
    p, z = vortices[:, :, planes], SUPERLATTICE.heights[planes]
    up = np.trapezoid(p[1, 0] - p[1, len(p[1]) // 2], z) * 1e-10
    faces = (p[0, : p.shape[1] // 2, -1] - p[0, : p.shape[1] // 2, 0]).sum() * PERIOD / p.shape[1] * 1e-10
    assert cores(vortices, SUPERLATTICE, PERIOD).circulation[0] == pytest.approx(up + faces, rel=0.15)


def test_antivortices_come_with_the_vortices_where_the_stray_field_turns(vortices):
    """P reversed in x between the layers: saddles beside the vortices."""
    x, z = np.arange(48)[:, None] / 48, np.arange(40)[None] * 4.0
    p = np.stack([-np.sin(2 * np.pi * x) * np.cos(np.pi * z / 80), 0.6 * np.cos(2 * np.pi * x) + 0 * z])
    found = cores_from_polarization(
        polarization=p, std=0 * p, period=100.0, z=z[0], layers=np.zeros(40, np.int64)
    )
    assert sorted(found.winding.tolist()) == [-1, -1, 1, 1]


def test_a_wall_on_which_p_vanishes_counts_as_one_vortex(closure):
    found = cores(closure, FILM, 140.0)
    assert found.winding.tolist() == [1, 1]
    np.testing.assert_allclose(found.x, [0.25, 0.75], atol=0.01)
    np.testing.assert_allclose(found.z, 0.5 * FILM.thickness, atol=3.0)
    assert found.circulation[0] == pytest.approx(-found.circulation[1], rel=1e-6)


def test_layers_below_their_standard_deviation_have_no_cores(vortices):
    layers = layer_numbers(np.array(SUPERLATTICE.plane_materials))
    std = np.full_like(vortices, 0.05)
    assert resolved_layers(polarization=vortices, std=std, layers=layers).tolist() == [
        False,
        True,
        False,
        True,
    ]
    found = counted_cores(
        polarization=vortices, std=std, period=PERIOD, z=SUPERLATTICE.heights, layers=layers, seed=0
    )
    np.testing.assert_array_equal(found.counts[0], [np.nan, 2, np.nan, 2])
    np.testing.assert_array_equal(found.counts[1], [np.nan, 0, np.nan, 0])
    assert (found.confidence[[1, 3]] > 0.8).all()
    assert ((found.x_std > 0) & (found.x_std < 0.03)).all()


def test_layers_are_runs_of_one_entry_of_the_stack():
    assert layer_numbers(np.array([0, 0, 1, 1, 0, 1])).tolist() == [0, 0, 1, 1, 2, 3]
