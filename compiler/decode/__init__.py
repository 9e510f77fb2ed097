"""Raw captures into frames, values and reasons. Pure: no files, no sockets, no clock."""

from compiler.decode.decode import decode

__all__ = ["decode"]
