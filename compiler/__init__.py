"""Debug info and a spec in, a probe program out; raw captures in, frames out. Pure: no network, no database, no eBPF."""
