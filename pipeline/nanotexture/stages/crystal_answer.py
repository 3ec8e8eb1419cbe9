"""Stages of one crystal: starts aligned and grouped; shape, displacement and strain of each group."""

from __future__ import annotations

import json

import numpy as np
import scipy.fft

from nanotexture.engine.stage import stage
from nanotexture.errors import UserError
from nanotexture.phasing.coherence import blurred, transfer
from nanotexture.phasing.constraints import Mask
from nanotexture.phasing.crystal_alignment import centred_on_mass
from nanotexture.phasing.crystal_consensus import (
    CrystalConsensus,
    crystal_consensus,
    phase_spread,
    transfer_of_phases,
)
from nanotexture.phasing.crystal_shape import shape_of
from nanotexture.quantities import CrystalAnswers, CrystalClusters, CrystalSolutions, Diffraction
from nanotexture.schema import CRYSTAL_ANSWERS, CRYSTAL_CLUSTERS, labelled
from nanotexture.stages.crystal import AXES, box_of, pattern
from nanotexture.stages.crystal_models import CrystalAnswersConfig, CrystalGroupConfig
from nanotexture.texture.crystal import (
    displacement_from_phase,
    strain_from_phase,
    unwrapped_phase,
    without_ramp,
)

PER_START = ("cost", "free_cost", "deviance", "background", "coherence_width", "iterations")
MOST_MEMBERS = 24  # of a cluster that the PRTF is taken over: their spectra are held together


@stage(version=1)
def group_crystal(
    diffraction: Diffraction, solutions: list[CrystalSolutions], *, config: CrystalGroupConfig
) -> CrystalClusters:
    """Crystals of all starts aligned (shift, twin, phase), grouped and ranked; the pattern of the best one."""
    joined = {name: np.concatenate([one[name].values for one in solutions]) for name in PER_START}
    objects = np.concatenate([_complex(one["density"].values) for one in solutions])
    supports = np.concatenate([one["support"].values for one in solutions]) != 0
    found = crystal_consensus(objects, cost=joined["cost"], free_cost=joined["free_cost"])
    if not len(found.weight):
        raise UserError(
            "crystal: expected more measured voxels than unknowns in the support, found fewer in every start"
        )
    heads = found.representative
    best = heads[0]
    model = _expected(
        found.aligned[best], diffraction, joined["coherence_width"][best], float(joined["background"][best])
    )
    density = found.aligned[heads]
    values = {
        **joined,
        "start": np.concatenate([one["start"].values for one in solutions]),
        "outcome": np.concatenate([one["outcome"].values for one in solutions]),
        "cluster": found.labels,
        "twinned": found.twinned.astype(int),
        "weight": found.weight,
        "cluster_cost": found.cost,
        "cluster_free_cost": found.free_cost,
        "spread": found.spread,
        "representative": heads,
        "density": np.stack([density.real, density.imag], axis=1).astype(np.float32),
        "support": np.array([_support(found, objects, supports, k) for k in range(len(heads))]).astype(
            np.uint8
        ),
        "phase_std": np.array([phase_spread(found.members(k)) for k in range(len(heads))]),
        "model": model,
        "prtf": _prtf(found, diffraction),
        "part": ["real", "imaginary"],
        "axis": list(AXES),
        **{name: solutions[0][name].values for name in AXES},
        **{name: diffraction[name].values for name in ("qx", "qy", "qz")},
    }
    return CrystalClusters(labelled(values, CRYSTAL_CLUSTERS))


def _complex(density: np.ndarray) -> np.ndarray:
    """(start, part, x, y, z) as complex64."""
    return (density[:, 0] + 1j * density[:, 1]).astype(np.complex64)


def _support(found: CrystalConsensus, objects: np.ndarray, supports: np.ndarray, cluster: int) -> Mask:
    """Support of a representative, moved as it was: rolled for the best, else where its aligned modulus is above a tenth."""
    head = found.representative[cluster]
    if cluster > 0:
        modulus = np.abs(found.aligned[head])
        return modulus > 0.1 * modulus.max()
    shift = _roll_between(objects[head], centred_on_mass(objects[head]))
    return np.roll(supports[head], shift, tuple(range(3)))


def _roll_between(one: np.ndarray, rolled: np.ndarray) -> tuple[int, ...]:
    a, b = (np.unravel_index(int(np.argmax(np.abs(w))), w.shape) for w in (one, rolled))
    return tuple(int(j - i) for i, j in zip(a, b, strict=True))


def _spectrum(psi: np.ndarray, diffraction: Diffraction) -> np.ndarray:
    """Amplitude sum psi exp(+iq.r) in the orthonormal transform's unit, of an object in the box; q = 0 at index 0."""
    whole = np.zeros(diffraction["intensity"].shape, dtype=np.complex64)
    whole[box_of(pattern(diffraction))] = psi.conj()
    return np.asarray(scipy.fft.fftn(whole, norm="ortho", workers=1)).conj()


def _expected(psi: np.ndarray, diffraction: Diffraction, widths: np.ndarray, background: float) -> np.ndarray:
    """Expected counts (qx, qy, qz) of an object."""
    counts = np.abs(_spectrum(psi, diffraction)) ** 2
    if np.any(widths > 0):
        counts = blurred(counts, transfer(counts.shape, tuple(map(float, widths))))
    return scipy.fft.fftshift(counts).astype(float) + background


def _prtf(found: CrystalConsensus, diffraction: Diffraction) -> np.ndarray:
    members = found.members(0)[:MOST_MEMBERS]
    return scipy.fft.fftshift(transfer_of_phases(np.array([_spectrum(one, diffraction) for one in members])))


@stage(version=1)
def crystal_answers(
    diffraction: Diffraction, clusters: CrystalClusters, *, config: CrystalAnswersConfig
) -> CrystalAnswers:
    """Shape, phase, displacement and strain along Q of each cluster's representative."""
    q = 2 * np.pi / float(diffraction.attrs["d_spacing"])
    direction = json.loads(diffraction.attrs["q_direction"])
    voxel = tuple(json.loads(diffraction.attrs["voxel"]))
    fields: dict[str, list[np.ndarray]] = {}
    slopes = []
    for psi, within, std in zip(
        _complex(clusters["density"].values),
        clusters["support"].values != 0,
        clusters["phase_std"].values,
        strict=True,
    ):
        support = shape_of(np.abs(psi), within)
        flat, slope = without_ramp(psi, support)
        slopes.append(slope)
        for name, value in _fields(flat, support, within, q, direction, voxel).items():
            fields.setdefault(name, []).append(value)
        fields.setdefault("phase_std", []).append(np.where(support, std, np.nan))
    values = {name: np.array(parts) for name, parts in fields.items()} | {
        name: clusters[name].values for name in AXES
    }
    attrs = {"q": q, "phase_ramp": json.dumps([float(v) for v in slopes[0]])}
    return CrystalAnswers(labelled(values, CRYSTAL_ANSWERS, attrs))


def _fields(
    psi: np.ndarray,
    support: Mask,
    within: Mask,
    q: float,
    direction: list[float] | None,
    voxel: tuple[float, float, float],
) -> dict[str, np.ndarray]:
    phase = unwrapped_phase(psi, support)
    modulus = np.abs(psi)
    strain = np.full(phase.shape, np.nan)
    if direction is not None:
        strain = strain_from_phase(
            phase=phase, support=support, steps=voxel, direction=np.array(direction), q=q
        )
    return {
        "amplitude": np.where(within, modulus / modulus.max(), 0.0),
        "density_real": np.where(within, psi.real, 0.0),
        "density_imag": np.where(within, psi.imag, 0.0),
        "phase": phase,
        "displacement_along_q": displacement_from_phase(phase=phase, q=q),
        "strain_along_q": strain,
        "support": support.astype(np.uint8),
    }
