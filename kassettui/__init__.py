"""kassettui: a terminal asset library and file manager for render servers."""

__version__ = "0.1.0"
