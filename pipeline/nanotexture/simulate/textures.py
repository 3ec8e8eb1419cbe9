"""All textures by name: one more is a file with its numbers and its motif, and a case below."""

from __future__ import annotations

from nanotexture.film.energetics import Elastic
from nanotexture.film.stack import Stack
from nanotexture.simulate.a_c_domains import ACDomains, motif_from_a_c_domains
from nanotexture.simulate.checkerboard import Checkerboard, motif_from_checkerboard
from nanotexture.simulate.closure import Closure, motif_from_closure
from nanotexture.simulate.laminate import Laminate, motif_from_laminate
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.phase_field_texture import PhaseField, motif_from_phase_field
from nanotexture.simulate.random_texture import RandomTexture, motif_from_random
from nanotexture.simulate.stripes import Stripes, motif_from_stripes
from nanotexture.simulate.vortices import Vortices, motif_from_vortices

Texture = Stripes | Laminate | Closure | ACDomains | RandomTexture | Vortices | PhaseField | Checkerboard


def motif_from_texture(*, stack: Stack, texture: Texture, below: Elastic | None = None) -> Motif:
    """Motif of a texture on the planes of a stack; below: stiffness of the substrate, where a texture asks for it."""
    match texture:
        case Stripes():
            return motif_from_stripes(stack=stack, texture=texture)
        case Laminate():
            return motif_from_laminate(stack=stack, texture=texture)
        case Closure():
            return motif_from_closure(stack=stack, texture=texture, below=below)
        case ACDomains():
            return motif_from_a_c_domains(stack=stack, texture=texture)
        case RandomTexture():
            return motif_from_random(stack=stack, texture=texture)
        case Vortices():
            return motif_from_vortices(stack=stack, texture=texture, below=below)
        case PhaseField():
            return motif_from_phase_field(stack=stack, texture=texture)
        case Checkerboard():
            return motif_from_checkerboard(stack=stack, texture=texture)
