"""What one period scatters: the sum over atoms, one by one, and refusals of what under-samples it."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.film.rod import substrate_sum_from_gap
from nanotexture.film.stack import Layer, Stack
from nanotexture.film.structure_factor import structure_factor
from nanotexture.simulate import texture_factor as tf
from nanotexture.simulate.motif import Motif

from .textured import BELOW, CELLS, ENERGY, PERIOD, STACK, A, columns, texture

GX, QZ = 2 * np.pi / A, np.array([4.5, 4.61, 4.68, 4.9])
REACH = 0.18


def specimen(motif=None, substrate=None, gap=0.0, stack=STACK):
    return tf.Specimen(motif or texture(), stack, substrate, gap, ENERGY)


@pytest.mark.parametrize("k", [0, 1])
def test_the_sum_over_phases_is_the_sum_over_atoms_at_q_itself(k):
    """W(phi = i / nx) of a column of cells, each atom by itself, anywhere in the map: to the harmonics left out."""
    motif, qy = texture(), 2 * np.pi * k / A
    factor = tf.texture_factor(specimen=specimen(motif), qx=(GX - REACH, GX + REACH), qy=qy, qz=QZ)
    for qx in (GX - 0.17, GX - 0.02, GX + 0.11):
        found = factor.at(np.array([qx]))[0]
        middle = np.exp(0.5j * A * (qx + qy))  # the phase that all harmonics share
        waves = np.exp(2j * np.pi * np.outer(np.arange(CELLS), factor.harmonics) / CELLS)
        expected = np.stack([columns(motif, np.array([qx, qy, qz])) for qz in QZ], axis=1)
        worst = np.abs(middle * (waves @ found) - expected).max()
        assert worst < 1e-4 * np.abs(expected).max()


def test_the_substrate_stands_below_the_film_with_its_gap():
    told = {"qx": np.array([GX - 0.1, GX + 0.1]), "qy": 0.0, "qz": QZ}
    bare = tf.substrate_rod(specimen=specimen(substrate=BELOW, gap=0.4), **told)
    for i, qx in enumerate(told["qx"]):
        factor = structure_factor(
            material=BELOW.material, h=np.array(qx * A / 2 / np.pi), k=0.0, qz=QZ, in_plane=A, c=BELOW.c,
            energy_kev=ENERGY,
        )  # fmt: skip
        expected = factor * substrate_sum_from_gap(qz=QZ, c=BELOW.c, gap=0.4) * np.exp(-0.5j * A * qx)
        np.testing.assert_allclose(bare[i], expected, rtol=1e-12)
    film, both = (
        tf.texture_factor(specimen=specimen(substrate=s, gap=0.4), qx=(GX - 0.1, GX + 0.1), qy=0.0, qz=QZ).at(
            np.array([GX])
        )[0]
        for s in (None, BELOW)
    )
    assert np.abs(both - film)[1:].max() == 0.0
    assert np.abs(both - film)[0].min() > 1.0


@given(st.floats(0.0, 6.0), st.floats(-5.0, 5.0), st.floats(0.01, 0.5), st.floats(0.1, 8.0))
def test_between_its_nodes_a_wave_is_exact_to_the_stated_error(fraction, low, width, extent):
    nodes = tf.chebyshev_nodes(low, low + width, extent)
    q = np.linspace(low, low + width, 17)
    place = extent * np.sin(fraction)
    found = tf.lagrange(nodes, q) @ np.exp(1j * nodes * place)
    assert np.abs(found - np.exp(1j * q * place)).max() < 2 * tf.NODE_ERROR


def test_a_texture_with_too_few_samples_is_refused_with_a_number_that_works():
    def waves(number):
        u = np.zeros((3, number, 1, len(STACK.heights)))
        u[2] = 3.0 * np.sin(2 * np.pi * np.arange(number) / number)[:, None, None]
        return Motif((PERIOD, A), u, None)

    told = {"qx": (GX - REACH, GX + REACH), "qy": 0.0, "qz": QZ}
    with pytest.raises(UserError, match="nx = 24 samples under-sample") as refused:
        tf.texture_factor(specimen=specimen(waves(24)), **told)
    works = int(re.search(r"(\d+) samples work", str(refused.value))[1])
    tf.texture_factor(specimen=specimen(waves(works)), **told)


def test_a_motif_of_another_stack_is_refused():
    other = Stack(A, (Layer(built_in("PbTiO3"), 9, 4.08),))
    with pytest.raises(UserError, match="expected 9 planes, as the stack has, got 24"):
        tf.check_motif(texture(), other)


def test_a_period_of_too_few_cells_is_refused_with_one_that_works():
    short = Motif((3 * A, A), texture().displacement, None)
    with pytest.raises(UserError, match="under-sample a texture") as refused:
        tf.check_motif(short, STACK)
    works = float(re.search(r"x: ([\d.]+) angstrom", str(refused.value))[1])
    tf.check_motif(Motif((works, A), short.displacement, None), STACK)


def test_a_grid_beyond_memory_is_refused_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(tf, "MAX_BYTES", 10_000.0)
    with pytest.raises(UserError, match=r"needs 1.54e-05 GB, 1e-05 GB is the limit: 0.65 times"):
        tf.column_sums(specimen=specimen(), qx=np.array([GX]), qy=0.0, qz=QZ)
