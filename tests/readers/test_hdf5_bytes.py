"""Heaps of strings are found wherever they lie, however the file is cut into pieces to look for them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanotexture.readers import hdf5_bytes

SIGNATURE = b"GCOL\x01\0\0\0"


@given(st.lists(st.integers(0, 292), max_size=5), st.integers(9, 400), st.binary(min_size=300, max_size=300))
def test_pieces_hide_no_heap(places: list[int], piece: int, noise: bytes) -> None:
    content = bytearray(noise)
    for place in places:
        content[place : place + len(SIGNATURE)] = SIGNATURE
    whole = bytes(content)
    expected = [n for n in range(len(whole)) if whole.startswith(SIGNATURE, n)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdf5_bytes, "_PIECE", piece)
        assert list(hdf5_bytes._heaps(io.BytesIO(whole))) == expected
