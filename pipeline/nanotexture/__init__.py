"""Real-space polar and elastic texture maps of thin films from X-ray reciprocal-space maps."""

__version__ = "0.1.0"
