"""The small program that runs as root beside the services: it lists Go processes, hands over binaries, and captures."""
