"""What reflections do not determine, in words: the same before a run, in its result and in its report."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Sequence

from nanotexture.film.config import FilmConfig
from nanotexture.stages.determined import Lack, Told, lacks

NO_POLAR_MATERIAL = (
    "texture.polarization = true, but no material of the film has atoms that are known to move with a polarization "
    "(displacement_per_polarization): it stays NaN."
)
_COMPONENTS = {False: "xz", True: "xyz"}


def lacking_sentences(
    film: FilmConfig,
    reflections: Sequence[Told],
    polarization: bool,
    followed: Container[int] = (),
    *,
    volume: bool = False,
) -> tuple[str, ...]:
    """One sentence for each thing that is asked and that these reflections cannot give, with one or two that would.

    followed: components of the polarization that the answer has all the same, from equilibrium; volume: of a texture that is
    periodic along x and y.
    """
    every = [one for one in lacks(film, reflections, volume=volume) if polarization or one.component is None]
    asked = [one for one in every if one.component is None or one.component not in followed]
    found = [_sentence(one, reflections, volume) for one in asked]
    return (*found, NO_POLAR_MATERIAL) if polarization and not film.polar else tuple(found)


def lacking_record(film: FilmConfig, reflections: Sequence[Told], *, volume: bool = False) -> str:
    """The same for the result's attribute `to_add`, JSON: what is not told, asked or not, and the reflections to add."""
    found = lacks(film, reflections, volume=volume)
    return json.dumps([{"what": _thing(one, volume), "add": one.add} for one in found])


def _sentence(one: Lack, reflections: Sequence[Told], volume: bool) -> str:
    these = _listed(told.hkl for told in reflections)
    beside = "it" if len(reflections) == 1 else "them"
    more = f"; {_listed(one.add)} beside {beside} would tell" if one.add else ""
    if one.component is None and one.directions == 2:
        return (
            f"{these}: directions of Q in one plane give the displacement in it; what lies across, and the strain and rotation "
            f"that need it, stay NaN{more}."
        )
    if one.component is None:
        return (
            f"{these}: one direction of Q gives the displacement along it; its components, strain and rotation "
            f"stay NaN{more}."
        )
    name = _COMPONENTS[volume][one.component]
    nothing = f"both stay NaN along {name}" if one.mixed else "it stays NaN"
    unless = " unless the data choose mechanical equilibrium" if one.may_follow else ""
    without = " (texture.polarization = false takes the polarization for zero)" if one.mixed else ""
    return (
        f"texture.polarization = true, but {these} cannot tell the polarization along {name} from a displacement: "
        f"{nothing}{unless}{more}{without}."
    )


def _thing(one: Lack, volume: bool) -> str:
    if one.component is None:
        return "the components of the displacement, and with them strain and rotation"
    return f"the polarization along {_COMPONENTS[volume][one.component]}, and its sign, from a displacement"


def _listed(reflections: Iterable[tuple[int, int, int]]) -> str:
    words = [" ".join(map(str, hkl)) for hkl in reflections]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
