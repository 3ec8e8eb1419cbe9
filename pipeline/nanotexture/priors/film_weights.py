"""Weights of the prior for films on disk, and when to say that a film is not what it learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nanotexture.errors import InputError
from nanotexture.priors.film_network import OrderNet
from nanotexture.priors.weights import read_tensors, write_tensors

VERSION = "film 1"  # of the layout of the weights and of what the network is given: raise when either changes
# random starts do better where it knows less: smooth random films, of which it expects 0.7 and more
VAGUE = 0.65
FILE = "film_starts.safetensors"
REMEDY = 'make the weights anew (nanotexture train recipes/train_film.toml), or set invert.prior = "none"'


@dataclass(frozen=True)
class FilmPrior:
    """A trained network; limit: 0.95 quantile of the first cost of its best guess of films that it never learnt from; vague:
    relative error that it expects of itself above which it is not followed."""

    network: OrderNet
    limit: float
    vague: float = VAGUE


def save_film_prior(path: Path, network: OrderNet, *, limit: float, vague: float = VAGUE) -> str:
    """Writes weights (float32) and both limits; the file's sha256."""
    return write_tensors(path, network, {"version": VERSION, "limit": limit, "vague": vague})


def load_film_prior(path: Path) -> FilmPrior:
    """The prior of a file; InputError says what is wrong with it and what to do."""
    told, tensors = read_tensors(path, VERSION, REMEDY)
    network = OrderNet()
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(path, "weights", "those of the network of films", f"others: {REMEDY}") from error
    return FilmPrior(network.eval(), float(told["limit"]), float(told["vague"]))
