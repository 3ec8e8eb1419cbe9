"""Weights of the denoiser of textures on disk, and when to trust it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from nanotexture.priors.denoiser import Denoiser
from nanotexture.priors.weights import read_tensors, write_tensors

VERSION = (
    "texture 1"  # of the layout of the weights and of what the network is given: raise when either changes
)
FILE = "textures.safetensors"
REMEDY = (
    'make the weights anew (nanotexture train recipes/train_texture.toml), or set invert.denoise = "none"'
)


@dataclass(frozen=True)
class TextureTrust:
    """inflation: squared errors over predicted variances, on textures never learnt from; strangeness: the 0.99 quantile there of
    the mean squared distance that denoising moves a texture, over what is expected."""

    inflation: float
    strangeness: float


@dataclass(frozen=True)
class TexturePrior:
    """A trained denoiser and when to trust it."""

    network: Denoiser
    trust: TextureTrust


def save_texture_prior(path: Path, network: Denoiser, trust: TextureTrust) -> str:
    """Writes weights (float32) and trust; the file's sha256."""
    return write_tensors(path, network, {"version": VERSION} | asdict(trust))


def load_texture_prior(path: Path) -> TexturePrior:
    """The prior of a file; InputError says what is wrong with it and what to do."""
    told, tensors = read_tensors(path, VERSION, REMEDY)
    network = Denoiser()
    network.load_state_dict(tensors)
    return TexturePrior(network.eval(), TextureTrust(float(told["inflation"]), float(told["strangeness"])))
