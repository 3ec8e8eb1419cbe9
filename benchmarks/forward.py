"""Time of seven maps by the forward model against the plain sum over atoms; the target is 1 s for the seven.

A (SrTiO3)13/(PbTiO3)12 superlattice of 150 planes with vortices, 32 samples a period, maps of 145 x 169 voxels.

Run: .venv/bin/python benchmarks/forward.py [repeats]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from nanotexture.film.forward import Reflection, amplitudes
from nanotexture.film.maps import Lines, LineShape, lines_from_shape, map_from_texture
from nanotexture.film.materials import built_in
from nanotexture.film.reflection import Sampling, reflection_from_stack
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.film.structure_factor import atom_wave
from nanotexture.geometry import atomic_form_factor

REFLECTIONS = [(0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 0, 4), (1, 0, 3), (-1, 0, 3), (2, 0, 3)]
PERIOD, SAMPLES, ORDERS, VOXELS, ENERGY, TARGET = 117.0, 32, 8, (145, 169), 8.048, 1.0
STACK = Stack(3.905, (Layer(built_in("SrTiO3"), 13, 3.905), Layer(built_in("PbTiO3"), 12, 4.08)), 6)
BELOW = Substrate(built_in("DyScO3"), 3.949)


def texture() -> tuple[np.ndarray, np.ndarray]:
    """Displacement (angstrom) and polarization (C/m^2) of vortices in every repeat, (3, nx, 1, planes)."""
    x = 2 * np.pi * np.arange(SAMPLES)[:, None, None] / SAMPLES
    z = 2 * np.pi * 6 * (STACK.heights / STACK.thickness)[None, None]
    flat = 0 * (x + z)
    u = 0.3 * np.stack([np.sin(x) * np.cos(z), flat, np.cos(x) * np.sin(z) + 0.3 * np.cos(2 * x)])
    p = np.stack([0.48 * np.cos(x) * np.cos(z), flat, 0.6 * np.tanh(3 * np.sin(x)) + 0 * z])
    return u, p


def rows(hkl: tuple[int, int, int]) -> np.ndarray:
    middle = 2 * np.pi * hkl[2] / STACK.mean_c
    return np.linspace(middle - 0.15, middle + 0.15, VOXELS[1])


def prepared(hkl: tuple[int, int, int], dtype: torch.dtype) -> tuple[Reflection, Lines]:
    """What does not depend on the texture."""
    reflection = reflection_from_stack(
        stack=STACK,
        hkl=hkl,
        qz=rows(hkl),
        sampling=Sampling((PERIOD, STACK.in_plane), (SAMPLES, 1), (ORDERS, 0)),
        energy_kev=ENERGY,
        substrate=BELOW,
        dtype=dtype,
    )
    middle = 2 * np.pi * hkl[0] / STACK.in_plane
    qx = np.linspace(middle - 0.25, middle + 0.25, VOXELS[0])
    shape = LineShape(sigma=0.002, period_step=0.06, resolution_z=0.002)
    return reflection, lines_from_shape(reflection=reflection, shape=shape, qx=qx)


def plain_orders(hkl: tuple[int, int, int], u: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The film's amplitudes (n, qz) by the sum over planes and atoms, exp(i Q.w) at every order and row."""
    qz, x = rows(hkl), np.arange(SAMPLES) / SAMPLES
    found = np.zeros((2 * ORDERS + 1, len(qz)), complex)
    for i, n in enumerate(range(-ORDERS, ORDERS + 1)):
        qx = 2 * np.pi * (hkl[0] / STACK.in_plane + n / PERIOD)
        q = np.stack([np.full(len(qz), qx), np.full(len(qz), 2 * np.pi * hkl[1] / STACK.in_plane), qz])
        turn = np.exp(2j * np.pi * n * x) / SAMPLES
        for layer_index, layer in enumerate(STACK.layers):
            planes = np.flatnonzero(np.array(STACK.plane_materials) == layer_index)
            phases = np.exp(1j * np.outer(STACK.heights[planes], qz))
            for atom in layer.material.atoms:
                wave = atom_wave(
                    atom=atom,
                    q=q,
                    in_plane=STACK.in_plane,
                    c=layer.c,
                    energy_kev=ENERGY,
                    form_factor=atomic_form_factor,
                )
                b = np.array(atom.displacement_per_polarization)[:, None, None]
                moved = u[:, :, 0, planes] + b * p[:, :, 0, planes]
                mean = np.einsum("x,xpq->pq", turn, np.exp(1j * np.einsum("cxp,cq->xpq", moved, q)))
                found[i] += wave * (phases * mean).sum(0)
    return found


def seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def gradient(reflection: Reflection, lines: Lines, u: torch.Tensor, p: torch.Tensor) -> None:
    field = u.clone().requires_grad_()
    map_from_texture(reflection, lines, field, p).sum().backward()


def measure(hkl: tuple[int, int, int], repeats: int) -> np.ndarray:
    """Seconds of preparing, map, map with gradient, sum over atoms; errors of the series and of complex64."""
    fields = texture()
    single = [torch.tensor(field, dtype=torch.float32) for field in fields]
    reflection, lines = prepared(hkl, torch.complex64)
    exact, _ = prepared(hkl, torch.complex128)
    begin = time.perf_counter()
    atoms = plain_orders(hkl, *fields)
    slow = time.perf_counter() - begin
    whole = amplitudes(exact, *(torch.tensor(field) for field in fields))[:, 0].numpy()
    film = whole.copy()
    film[ORDERS] -= exact.substrate.numpy()
    rounded = amplitudes(reflection, *single)[:, 0].numpy()
    return np.array(
        [
            seconds(partial(prepared, hkl, torch.complex64), 3),
            seconds(partial(map_from_texture, reflection, lines, *single), repeats),
            seconds(partial(gradient, reflection, lines, *single), repeats),
            slow,
            (abs(film - atoms).max(1) / abs(atoms).max(1)).max(),
            (abs(rounded - whole).max(1) / abs(whole).max(1)).max(),
        ]
    )


def line(name: str, row: np.ndarray) -> str:
    times = f"{row[0] * 1e3:13.1f} {row[1] * 1e3:9.2f} {row[2] * 1e3:11.2f} {row[3] * 1e3:11.0f}"
    return f"{name:>10} {times} {row[3] / row[1]:7.0f} {row[4]:8.1e} {row[5]:10.1e}"


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    torch.set_num_threads(1)  # as the tasks of a run have it
    table = np.array([measure(hkl, repeats) for hkl in REFLECTIONS])
    total = np.concatenate([table[:, :4].sum(0), table[:, 4:].max(0)])
    lines = [
        f"{'reflection':>10} {'prepare / ms':>13} {'map / ms':>9} {'+ gradient':>11} {'atoms / ms':>11} {'ratio':>7} "
        f"{'error':>8} {'complex64':>10}"
    ]
    lines += [line(" ".join(map(str, hkl)), row) for hkl, row in zip(REFLECTIONS, table, strict=True)]
    lines += [
        line("all", total),
        f"prepare and map together {total[0] + total[1]:.3f} s, target {TARGET:g} s for seven maps on two cores (one used)",
        "error: largest deviation of an order from the sum over atoms, over that order's largest amplitude",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
