"""Networks that guess what a diffraction pattern does not tell: its phases, or the crystal itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

GRID = 32
CHANNELS = 3  # of the input: log counts over their largest, mask of what was measured, log counts over FULL
FULL = 16.0  # log of about 1e7 counts
WIDTHS, ROUNDS, ROUND_WIDTHS = (8, 16, 32), 4, (16, 32)  # of PhaseNet
FURTHER = 32  # rounds of one network after those of a network each
_AXES = (1, 2, 3)


def features(counts: torch.Tensor, measured: torch.Tensor) -> torch.Tensor:
    """Input (b, 3, n, n, n) of counts and what of them was measured, both (b, n, n, n)."""
    seen = measured.to(counts.dtype)
    log = torch.log1p(counts.clamp_min(0.0)) * seen
    largest = log.amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    return torch.stack([log / largest, seen, log / FULL], dim=1)


def to_depth(x: torch.Tensor) -> torch.Tensor:
    """(b, c, n, n, n) to (b, 8 c, n/2, n/2, n/2): the eight interleaved lattices as channels, nothing lost."""
    b, c, n = x.shape[:3]
    parts = x.reshape(b, c, n // 2, 2, n // 2, 2, n // 2, 2).permute(0, 1, 3, 5, 7, 2, 4, 6)
    return parts.reshape(b, 8 * c, n // 2, n // 2, n // 2)


def to_space(x: torch.Tensor) -> torch.Tensor:
    """Inverse of `to_depth`."""
    b, c, n = x.shape[:3]
    parts = x.reshape(b, c // 8, 2, 2, 2, n, n, n).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return parts.reshape(b, c // 8, 2 * n, 2 * n, 2 * n)


def _block(inner: int, outer: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for first in (inner, outer):
        layers += [nn.Conv3d(first, outer, 3, padding=1), nn.GroupNorm(4, outer), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


class FirstGuess(nn.Module):
    """U-Net from a pattern (b, 3, n, n, n) to the unit phasors of its diffraction (b, 2, n, n, n), n = GRID.

    The finest level works on the eight interleaved lattices: a fifth of the time of a level of eight channels on the full one.
    `place` tells the layers where they are: a crystal and its twin have one pattern, and something must choose.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            _block(a, b) for a, b in zip((8 * CHANNELS, *widths[:-1]), widths, strict=True)
        )
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_block(below + here, here) for below, here in pairs)
        self.place = nn.Parameter(0.1 * torch.randn(1, 8 * CHANNELS, *(GRID // 2,) * 3))
        self.last = nn.Conv3d(widths[0], 16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Phasors of unit modulus."""
        x = to_depth(x) + self.place
        kept: list[torch.Tensor] = []
        for level, block in enumerate(self.down):
            x = block(nn.functional.avg_pool3d(x, 2) if level else x)
            kept.append(x)
        for block, beside in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, scale_factor=2.0), beside], dim=1))
        return _unit(to_space(self.last(x)).float())


class Round(nn.Module):
    """U-Net from an object that has the measured amplitudes (and the one before it) to a more likely object.

    In and out (b, 2, m, m, m), real and imaginary part over the object's level, on the middle half of the array: all that a
    crystal sampled twice can fill. Interleaved lattices, as in `FirstGuess`, took half the time and learnt far less in it.
    """

    def __init__(self, widths: tuple[int, int]) -> None:
        super().__init__()
        fine, coarse = widths
        self.down, self.below = _block(6, fine), _block(fine, coarse)
        self.up, self.last = _block(fine + coarse, fine), nn.Conv3d(fine, 2, 1)
        for one in self.last.parameters():
            nn.init.zeros_(one)

    def forward(self, x: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """The next object."""
        modulus = torch.linalg.vector_norm(x, dim=1, keepdim=True)
        fine = self.down(torch.cat([x, modulus, torch.ones_like(modulus), before], dim=1))
        coarse = self.below(nn.functional.avg_pool3d(fine, 2))
        up = self.up(torch.cat([nn.functional.interpolate(coarse, scale_factor=2.0), fine], dim=1))
        return x + self.last(up).float()


@dataclass(frozen=True)
class State:
    """What a round leaves to the next.

    amplitude and measured (b, n, n, n), those of the pattern; phasors (b, 2, n, n, n); object (b, 2, n/2, n/2, n/2) over its
    level and its transform (b, n, n, n), None before any round.
    """

    amplitude: torch.Tensor
    measured: torch.Tensor
    phasors: torch.Tensor
    object: torch.Tensor | None = None
    spectrum: torch.Tensor | None = None

    def detached(self) -> State:
        """The same numbers, without how they came about."""
        rest = (None if one is None else one.detach() for one in (self.object, self.spectrum))
        return State(self.amplitude, self.measured, self.phasors.detach(), *rest)


class PhaseNet(nn.Module):
    """From a pattern (b, 3, n, n, n) to the unit phasors of its diffraction (b, 2, n, n, n), n = GRID.

    A first guess of the phases, then rounds as of phase retrieval: the measured amplitudes are put to the phases, the object is
    made more likely by a network, and its transform gives the next phases (what is not measured keeps the object's amplitude).
    The first rounds have a network each; the one of all further rounds is one and the same, learnt on what it left itself,
    and each of them gains a little. At equal processor time it learns far more than the first guess alone.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = WIDTHS,
        rounds: int = ROUNDS,
        round_widths: tuple[int, int] = ROUND_WIDTHS,
    ) -> None:
        super().__init__()
        self.first = FirstGuess(widths)
        self.rounds = nn.ModuleList(Round(round_widths) for _ in range(rounds))
        self.further = Round(round_widths)

    def forward(self, x: torch.Tensor, further: int = FURTHER) -> torch.Tensor:
        """Phasors after the first rounds and so many further ones."""
        state = self.after_each_round(x)[-1]
        for _ in range(further):
            state = self.once_more(state)
        return state.phasors

    def after_each_round(self, x: torch.Tensor) -> list[State]:
        """The first guess, and what each of the first rounds makes of it."""
        amplitude = torch.sqrt(torch.expm1(x[:, 2] * FULL).clamp_min(0.0))
        found = [State(amplitude, x[:, 1], self.first(x))]
        for one in self.rounds:
            found.append(_after(one, found[-1]))
        return found

    def once_more(self, state: State) -> State:
        """After a further round."""
        return _after(self.further, state)


def _after(one: nn.Module, state: State) -> State:
    seen = torch.complex(state.phasors[:, 0], state.phasors[:, 1]) * state.amplitude
    if state.spectrum is not None:
        seen = seen + (1.0 - state.measured) * state.spectrum
    now, level = _object(seen)
    likely = one(now, torch.zeros_like(now) if state.object is None else state.object)
    spectrum = _spectrum(likely * level)
    phasors = _unit(torch.stack([spectrum.real, spectrum.imag], dim=1))
    return State(state.amplitude, state.measured, phasors, likely, spectrum)


def _unit(x: torch.Tensor) -> torch.Tensor:
    return x / torch.sqrt(x.square().sum(dim=1, keepdim=True) + 1e-8)


def _object(spectrum: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Middle half of the object (b, 2, n/2, n/2, n/2) over its level (b, 1, 1, 1, 1), the 0.95 quantile of its modulus."""
    shifted = torch.fft.ifftshift(spectrum, dim=_AXES)
    whole = torch.fft.fftshift(torch.fft.ifftn(shifted, dim=_AXES, norm="ortho"), dim=_AXES)
    half = slice(GRID // 4, GRID - GRID // 4)
    middle = whole[:, half, half, half]
    level = middle.abs().flatten(1).quantile(0.95, dim=1).reshape(-1, 1, 1, 1, 1) + 1e-6
    return torch.stack([middle.real, middle.imag], dim=1) / level, level


def _spectrum(x: torch.Tensor) -> torch.Tensor:
    """Transform (b, n, n, n) of the middle half of an object (b, 2, n/2, n/2, n/2)."""
    pad = GRID // 4
    whole = nn.functional.pad(torch.complex(x[:, 0].contiguous(), x[:, 1].contiguous()), (pad,) * 6)
    shifted = torch.fft.ifftshift(whole, dim=_AXES)
    return torch.fft.fftshift(torch.fft.fftn(shifted, dim=_AXES, norm="ortho"), dim=_AXES)


class FoundingNet(nn.Module):
    """The founding network: one encoder, a decoder for the shape and one for the phase of the crystal.

    Chan et al., Appl. Phys. Rev. 8, 021407 (2021): 32-64-128 channels, dropout 0.1; pattern (b, 3, n, n, n) in, modulus
    0 to 1 and phase in rad (b, 2, n, n, n) out. For comparison: no weights of it are shipped.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer in zip((CHANNELS, *widths[:-1]), widths, strict=True):
            layers += [_plain(inner, outer), _plain(outer, outer), nn.MaxPool3d(2), nn.Dropout3d(0.1)]
        self.encoder = nn.Sequential(*layers)
        self.shape, self.phase = _decoder(widths), _decoder(widths)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Modulus and phase."""
        code = self.encoder(x)
        modulus, turn = torch.sigmoid(self.shape(code)), math.pi * torch.tanh(self.phase(code))
        return torch.cat([modulus, turn], dim=1)


class PhasesOf(nn.Module):
    """The phases of the diffraction of what the founding network predicts, as `PhaseNet` gives them."""

    def __init__(self, network: FoundingNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, further: int = 0) -> torch.Tensor:
        """Phasors of unit modulus (b, 2, n, n, n); it has no rounds, whatever `further` says."""
        modulus, phase = self.network(x).unbind(dim=1)
        shifted = torch.fft.ifftshift(torch.polar(modulus, phase), dim=_AXES)
        spectrum = torch.fft.fftshift(torch.fft.fftn(shifted, dim=_AXES), dim=_AXES)
        return _unit(torch.stack([spectrum.real, spectrum.imag], dim=1))


def _plain(inner: int, outer: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(inner, outer, 3, padding=1), nn.ReLU())


def _decoder(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inner, outer in zip((widths[-1], *widths[:0:-1]), widths[::-1], strict=True):
        layers += [_plain(inner, outer), _plain(outer, outer), nn.Upsample(scale_factor=2.0)]
    return nn.Sequential(*layers, nn.Conv3d(widths[0], 1, 3, padding=1))
