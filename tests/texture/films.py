"""Films whose textures the tests of domains and cores read."""

from __future__ import annotations

from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack

FILM = Stack(3.905, (Layer(built_in("PbTiO3"), 50, 4.06),))
SUPERLATTICE = Stack(
    3.905, (Layer(built_in("SrTiO3"), 10, 3.9), Layer(built_in("PbTiO3"), 16, 4.03)), repeat=2
)
RUTHENATE = Stack(5.36, (Layer(built_in("Ca2RuO4"), 24, 12.1),))
