"""The small program that runs as root beside the services: lists Go processes, hands over binaries, captures with eBPF."""
