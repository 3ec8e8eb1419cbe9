"""Results for other programs: one file for each format, one line in FORMATS."""

from nanotexture.export.formats import FORMATS, export_result

__all__ = ["FORMATS", "export_result"]
