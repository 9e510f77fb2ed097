"""Reads Go's debug info: ELF sections, the index of a binary's names, single DIEs, types, variable locations. Home of elftools."""
