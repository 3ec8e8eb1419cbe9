"""Superlattices drawn at random, one repeat of each: vortices written down, and what the phase field makes of such layers."""

from __future__ import annotations

import numpy as np

from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.simulate.film_draws import CUBIC, DrawnFilm
from nanotexture.simulate.relaxed_film import relaxed_superlattice
from nanotexture.simulate.suite import films
from nanotexture.simulate.vortices import Vortices, motif_from_vortices

CELLS = (8, 24)  # of either layer
KITTEL = (9.0, 20.0)  # period over the root of the polar layer's height, in root angstrom
FREEDOM = 0.3  # relative difference of the two layers' cells at most
RELAXED = 0.3  # share of those that the phase field relaxes


def random_superlattice(*, seed: int, number: int) -> DrawnFilm:
    """One repeat of superlattice `number`, fixed by (seed, number); none of the benchmark suite's layers."""
    rng = np.random.Generator(np.random.PCG64([seed, number, 13]))
    taken = {one.stack.layers[0].cells for one in films() if one.stack.repeat > 1}
    if rng.random() < RELAXED:
        found = relaxed_superlattice(rng, taken=taken, freedom=FREEDOM)
        return DrawnFilm("phase_field", found.stack, found.substrate, found.texture, found.motif, CUBIC, 0.0)
    polar = int(rng.integers(*CELLS))
    while polar in taken:
        polar = int(rng.integers(*CELLS))
    other = max(4, round(polar * float(rng.uniform(1 - FREEDOM, 1 + FREEDOM))))
    below = Substrate(built_in("DyScO3"), 3.95)
    c = 4.02 * float(rng.uniform(0.99, 1.01))
    layers = (Layer(built_in("SrTiO3"), other, 3.885), Layer(built_in("PbTiO3"), polar, c))
    stack = Stack(below.c, layers)
    texture = Vortices(
        period=float(rng.uniform(*KITTEL) * np.sqrt(polar * c)),
        polarization=float(rng.uniform(0.35, 0.7)),
        leak=float(rng.uniform(0.02, 0.25)),
    )
    motif = motif_from_vortices(stack=stack, texture=texture, below=below.material.elastic)
    return DrawnFilm("vortices", stack, below, texture, motif, CUBIC, 0.0)
