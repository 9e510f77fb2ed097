"""The agent: on made-up processes, on real Go programs, and over real sockets."""
