"""Weights on disk: safetensors, never a pickle; version and digest are verified before a number is used."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from nanotexture.errors import InputError
from nanotexture.priors.networks import PhaseNet

VERSION = 3  # of the layout of the weights and of what the network is given: raise when either changes
ENTRY = "prior"  # of the file's metadata
FILE = "crystal_phases.safetensors"
REMEDY = 'make the weights anew (nanotexture train recipes/train_crystal.toml), or set invert.prior = "none"'


class Limits(NamedTuple):
    """Highest free chi2 and spread to trust; at a free chi2 of `sure` or less any spread is trusted."""

    free_chi2: float
    spread: float
    sure: float


@dataclass(frozen=True)
class Trust:
    """When a prediction may be believed: as far as it is from data and from itself, against particles never learnt from.

    decades: log10 of the counts in the brightest voxel at which those were counted (k,); quantile, spread: the 0.95 quantiles of
    their free chi2 and of their spread (k,); median: of their free chi2 (k,).
    """

    decades: tuple[float, ...]
    quantile: tuple[float, ...]
    spread: tuple[float, ...]
    median: tuple[float, ...]

    def limits(self, peak_counts: float) -> Limits:
        """Those of the nearest decade to this many counts in the brightest voxel."""
        decade = math.log10(max(peak_counts, 1.0))
        nearest = min(range(len(self.decades)), key=lambda k: abs(self.decades[k] - decade))
        return Limits(self.quantile[nearest], self.spread[nearest], self.median[nearest])

    def allows(self, peak_counts: float, *, free_chi2: float, spread: float) -> bool:
        """Whether a guess is within both limits, or fits held-out voxels better than every second particle's does.

        Such a fit is seldom luck, however far the answers to the turned patterns are from it; a middling one may be, and
        answers that agree then say that it is not.
        """
        limits = self.limits(peak_counts)
        return free_chi2 <= limits.sure or (free_chi2 <= limits.free_chi2 and spread <= limits.spread)


@dataclass(frozen=True)
class Prior:
    """A trained network and when to trust it."""

    network: PhaseNet
    trust: Trust


def save_prior(path: Path, network: PhaseNet, trust: Trust) -> str:
    """Writes weights (float32) and trust; the file's sha256."""
    return write_tensors(path, network, {"version": VERSION} | asdict(trust))


def write_tensors(path: Path, network: torch.nn.Module, told: dict[str, Any]) -> str:
    """Writes weights (float32), their digest and what is told of them; the file's sha256."""
    tensors = {k: v.detach().float().contiguous() for k, v in network.state_dict().items()}
    told = told | {"digest": digest(tensors)}
    beside = path.with_name(f".{path.name}.part")
    # one entry: several are written in an order that changes from run to run, and the file's sha256 with it
    save_file(tensors, beside, metadata={ENTRY: json.dumps(told)})
    beside.replace(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_prior(path: Path) -> Prior:
    """The prior of a file; InputError says what is wrong with it and what to do."""
    told, tensors = read_tensors(path, VERSION, REMEDY)
    network = PhaseNet()
    network.load_state_dict(tensors)
    trust = Trust(*(tuple(told[one.name]) for one in fields(Trust)))
    return Prior(network.eval(), trust)


def read_tensors(
    path: Path, version: int | str, remedy: str
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What is told of weights, and the weights, verified; InputError says what is wrong with the file and what to do."""
    if not path.is_file():
        raise InputError(path, "weights", "a file", f"none: {remedy}")
    try:
        with safe_open(path, "pt") as file:
            told = json.loads((file.metadata() or {}).get(ENTRY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(path, "weights", "a safetensors file", f"{error}: {remedy}") from error
    if told.get("version") != version:
        raise InputError(path, "version", str(version), f"{told.get('version')}: {remedy}")
    if told.get("digest") != digest(tensors):
        raise InputError(path, "digest", str(told.get("digest")), f"{digest(tensors)}: {remedy}")
    return told, tensors


def digest(tensors: dict[str, torch.Tensor]) -> str:
    """Digest of names, shapes and numbers."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(f"{name} {tuple(tensors[name].shape)}".encode())
        found.update(tensors[name].numpy().tobytes())
    return found.hexdigest()
