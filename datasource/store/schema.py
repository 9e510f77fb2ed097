"""The tables that every snapshot has, whatever its spec. Names and columns are a promise to everyone who reads the files."""

from collections.abc import Mapping
from types import MappingProxyType

BUILT_IN: Mapping[str, Mapping[str, type]] = MappingProxyType(
    {
        "snapshot": {"snapshot_id": str, "taken_at_ns": int, "format": int},
        "processes": {
            "process_id": int,
            "pid": int,
            "host": str,
            "program": str,
            "exe": str,
            "build_id": str,
            "go_version": str,
            "captured_at_ns": int,
            "pause_ms": float,
            "goroutines": int,
            "frames": int,
            "engine": str,
            "container_pid": int,
            "command_line": str,
            "environment": str,
        },
        "goroutines": {
            "process_id": int,
            "goroutine_id": int,
            "status": str,
            "wait_reason": str,
            "wait_since_ns": int,
            "start_function": str,
            "created_by": str,
            "parent_goroutine_id": int,
            "system": int,
            "created_by_file": str,
            "created_by_line": int,
            "waits_on": str,
            "labels": str,
            "m": int,
            "tid": int,
            "cpu": int,
            "locked_tid": int,
        },
        "threads": {
            "process_id": int,
            "tid": int,
            "host_tid": int,
            "goroutine_id": int,
            "m": int,
            "cpu": int,
            "state": str,
        },
        "waits": {
            "process_id": int,
            "goroutine_id": int,
            "position": int,
            "operation": str,
            "object": str,
            "address": str,
        },
        "goroutine_labels": {"process_id": int, "goroutine_id": int, "key": str, "value": str},
        "frames": {
            "process_id": int,
            "goroutine_id": int,
            "depth": int,
            "function": str,
            "file": str,
            "line": int,
            "inlined": int,
        },
        "absences": {
            "process_id": int,
            "goroutine_id": int,
            "depth": int,
            "table_name": str,
            "column_name": str,
            "path": str,
            "reason": str,
            "detail": str,
        },
        "issues": {"process_id": int, "item": str, "message": str, "nearest": str, "line": int},
        "losses": {"process_id": int, "kind": str, "count": int, "detail": str},
        "links": {
            "from_table": str,
            "from_columns": str,
            "to_table": str,
            "to_columns": str,
            "note": str,
        },
        "spec": {"origin": str, "sha256": str, "text": str},
    }
)

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "snapshot": ("snapshot_id",),
        "processes": ("process_id",),
        "goroutines": ("process_id", "goroutine_id"),
        "frames": ("process_id", "goroutine_id", "depth"),
        "threads": ("process_id", "tid"),
        "waits": ("process_id", "goroutine_id", "position"),
        "goroutine_labels": ("process_id", "goroutine_id", "key"),
    }
)
FORMAT = 1
"""Of the snapshot file; raised when a promised column changes its meaning."""
