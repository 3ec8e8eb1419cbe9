"""Speed of the phase field, time to equilibrium, and the published vortices by the full scan of the box.

Run: OMP_NUM_THREADS=1 .venv/bin/python benchmarks/phasefield.py [device]; the targets are 120 s to a two-dimensional
equilibrium, a period within 15 % of 117 angstrom, and periods that grow with a power of 0.4 to 0.6 of the thickness.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.simulate.phasefield.film import CUBIC
from nanotexture.simulate.phasefield.period import find_period, period_scan
from nanotexture.simulate.phasefield.relax import Equilibrium, relax
from nanotexture.simulate.phasefield.settings import Layer, Settings, Stepping

SUBSTRATES = {"DyScO3, 3.949": 3.949, "3.94": 3.94}
CELLS = (8, 10, 12, 14, 16, 18, 20)


def superlattice(cells: int, period: float, in_plane: float, device: str) -> Settings:
    """(SrTiO3)n/(PbTiO3)n, lengths in angstrom."""
    layers = Layer(built_in("SrTiO3"), cells, 3.905), Layer(built_in("PbTiO3"), cells, CUBIC["PbTiO3"])
    return Settings(layers=layers, in_plane=in_plane, period=period, device=device)


def speed(device: str) -> Iterator[tuple[str, str]]:
    """Steps a second, the refused ones included."""
    plain = replace(superlattice(16, 120.0, 3.949, device), stepping=Stepping(most_steps=40, force=1e-12))
    boxes = (plain, replace(plain, width=120.0), replace(plain, period=240.0, width=240.0))
    for settings in boxes:
        for dtype in ("float32", "float64"):
            begun = time.perf_counter()
            end = relax(replace(settings, dtype=dtype))
            rate = (end.steps + end.rejected) / (time.perf_counter() - begun)
            shape = " x ".join(str(n) for n in settings.shape)
            yield f"{shape} nodes, {dtype}", f"{rate:8.1f} steps/s"


def equilibria(device: str) -> Iterator[tuple[str, str]]:
    """Seconds from stripes with noise to equilibrium, and what the run ended in."""
    plain = superlattice(16, 120.0, 3.949, device)
    for name, settings in {
        "2D, 0.4 nm grid": plain,
        "2D, 0.8 nm grid": replace(plain, step=8.0, cells_per_node=2),
        "2D, 0.2 nm grid along x": replace(plain, step=2.0),
        "2D, 0.4 nm grid, float32": replace(plain, dtype="float32"),
    }.items():
        begun = time.perf_counter()
        end = relax(settings)
        seconds = time.perf_counter() - begun
        yield f"equilibrium, {name}", f"{seconds:8.2f} s, {end.steps} steps, {end.outcome.name.lower()}"


def published(device: str) -> Iterator[tuple[str, str]]:
    """The period of least energy by a scan of thirteen boxes, and the polarization there."""
    scan = period_scan(superlattice(16, 120.0, 3.949, device), np.linspace(95.0, 155.0, 13).tolist())
    for box, energy in zip(scan.boxes, scan.energies, strict=True):
        yield f"box {box:.0f} angstrom", f"{energy / 1e6:10.4f} MJ/m^3"
    yield "period of least energy, published 117", f"{scan.period:8.1f} angstrom"
    yield "polarization", sizes(scan.equilibrium)


def sizes(end: Equilibrium) -> str:
    """Largest components: P_z in the middle of PbTiO3, P_x, P_z over the height of SrTiO3."""
    px, _, pz = np.abs(end.polarization[:, :, 0])
    middle, induced = pz.shape[1] // 2, pz[:, : pz.shape[1] // 2].max(0)
    lead = pz[:, middle + middle // 2]
    return f"Pz {lead.max():.3f}, Px {px.max():.3f}, Pz in SrTiO3 {induced.min():.3f} to {induced.max():.3f} C/m^2"


def thicknesses(device: str) -> Iterator[tuple[str, str]]:
    """Period against layer thickness and the slope of their logarithms."""
    for name, in_plane in SUBSTRATES.items():
        found: dict[int, float] = {}
        for cells in CELLS:
            try:
                found[cells] = find_period(superlattice(cells, 28.0 * cells**0.5, in_plane, device))[0]
                yield f"in plane {name}: {cells} cells", f"{found[cells]:8.1f} angstrom"
            except UserError as refused:
                yield f"in plane {name}: {cells} cells", str(refused)
        slope = np.polyfit(np.log(list(found)), np.log(list(found.values())), 1)[0]
        yield f"in plane {name}: slope, {min(found)} to {max(found)} cells", f"{slope:8.3f}"


def main() -> None:
    """Print the tables."""
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    for table in (speed, equilibria, published, thicknesses):
        for name, value in table(device):
            sys.stdout.write(f"{name:<48}{value}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
