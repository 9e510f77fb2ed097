"""The names that every snapshot already has: a spec's tables and columns may not be called so, its SQL may use them."""

from collections.abc import Mapping
from types import MappingProxyType

FUNCTION_TABLE_COLUMNS = ("process_id", "goroutine_id", "depth", "function", "line")
"""What every function table begins with."""

BUILTIN_TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(columns.split())
        for name, columns in {
            "snapshot": "snapshot_id taken_at_ns format",
            "processes": (
                "process_id pid host program exe build_id go_version captured_at_ns pause_ms goroutines frames engine "
                "container_pid command_line environment"
            ),
            "goroutines": (
                "process_id goroutine_id status wait_reason wait_since_ns start_function created_by "
                "parent_goroutine_id system created_by_file created_by_line waits_on labels m tid cpu "
                "locked_tid"
            ),
            "threads": "process_id tid host_tid goroutine_id m cpu state",
            "waits": "process_id goroutine_id position operation object address",
            "goroutine_labels": "process_id goroutine_id key value",
            "frames": "process_id goroutine_id depth function file line inlined",
            "absences": "process_id goroutine_id depth table_name column_name path reason detail",
            "issues": "process_id item message nearest line",
            "losses": "process_id kind count detail",
            "links": "from_table from_columns to_table to_columns note",
            "spec": "origin sha256 text",
        }.items()
    }
)

PROCESS_COLUMNS = tuple(name for name in BUILTIN_TABLES["processes"] if name != "process_id")
"""Of its process, what an extra column sees."""
GOROUTINE_COLUMNS = tuple(name for name in BUILTIN_TABLES["goroutines"] if name not in ("process_id", "goroutine_id"))
"""Of its goroutine, what an extra column sees."""
