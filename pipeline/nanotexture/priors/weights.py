"""Weights on disk: safetensors, never a pickle; version and digest are verified before a number is used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from nanotexture.errors import InputError
from nanotexture.priors.networks import PhaseNet

VERSION = 1  # of the layout of the weights and of what the network is given: raise when either changes
ENTRY = "prior"  # of the file's metadata
FILE = "crystal_phases.safetensors"
REMEDY = 'make the weights anew (nanotexture train recipes/train_crystal.toml), or set invert.prior = "none"'


@dataclass(frozen=True)
class Trust:
    """When a prediction may be believed: its free chi2 against that of particles the network never learnt from.

    decades: log10 of the counts in the brightest voxel at which those were counted (k,); quantile: the 0.95 quantile of
    their free chi2 (k,).
    """

    decades: tuple[float, ...]
    quantile: tuple[float, ...]

    def limit(self, peak_counts: float) -> float:
        """Highest free chi2 to trust at this many counts in the brightest voxel; beyond the last decade, that one's."""
        decade = torch.log10(torch.tensor(max(peak_counts, 1.0))).item()
        nearest = min(range(len(self.decades)), key=lambda k: abs(self.decades[k] - decade))
        return self.quantile[nearest]


@dataclass(frozen=True)
class Prior:
    """A trained network and when to trust it."""

    network: PhaseNet
    trust: Trust


def save_prior(path: Path, network: PhaseNet, trust: Trust) -> str:
    """Writes weights (float32) and trust; the file's sha256."""
    tensors = {k: v.detach().float().contiguous() for k, v in network.state_dict().items()}
    told = {"version": VERSION, "digest": digest(tensors)} | asdict(trust)
    beside = path.with_name(f".{path.name}.part")
    # one entry: several are written in an order that changes from run to run, and the file's sha256 with it
    save_file(tensors, beside, metadata={ENTRY: json.dumps(told)})
    beside.replace(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_prior(path: Path) -> Prior:
    """The prior of a file; InputError says what is wrong with it and what to do."""
    if not path.is_file():
        raise InputError(path, "weights", "a file", f"none: {REMEDY}")
    try:
        with safe_open(path, "pt") as file:
            told = json.loads((file.metadata() or {}).get(ENTRY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(path, "weights", "a safetensors file", f"{error}: {REMEDY}") from error
    if told.get("version") != VERSION:
        raise InputError(path, "version", str(VERSION), f"{told.get('version')}: {REMEDY}")
    if told.get("digest") != digest(tensors):
        raise InputError(path, "digest", str(told.get("digest")), f"{digest(tensors)}: {REMEDY}")
    network = PhaseNet()
    network.load_state_dict(tensors)
    trust = Trust(tuple(told["decades"]), tuple(told["quantile"]))
    return Prior(network.eval(), trust)


def digest(tensors: dict[str, torch.Tensor]) -> str:
    """Digest of names, shapes and numbers."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(f"{name} {tuple(tensors[name].shape)}".encode())
        found.update(tensors[name].numpy().tobytes())
    return found.hexdigest()
