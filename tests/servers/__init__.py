"""Real servers from the Go module proxy, at pinned versions: each folder is a module that holds nothing but the pin."""
