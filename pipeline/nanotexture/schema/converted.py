"""Maps of a run that converts and inverts nothing."""

from __future__ import annotations

from nanotexture.schema.answer import RESULT_MAP
from nanotexture.schema.variables import Schema, variable
from nanotexture.schema.volumes import in_volume

CONVERTED_MAP: Schema = {
    **{name: entry for name, entry in RESULT_MAP.items() if name != "model"},
    "record": variable(
        "temperature",
        "1",
        "record",
        "What file and conversion say of each map, JSON: frames, masked and dropped pixels, where numbers come from.",
        "U",
    ),
    "source": variable(
        "temperature", "1", "source", "Input file of each map, and the number of its scan.", "U"
    ),
}

CONVERTED_VOLUME: Schema = in_volume(CONVERTED_MAP)
