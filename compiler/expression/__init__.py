"""What a spec asks for: expressions, parsed; their way through a binary's types, to the steps of an Access."""
