"""The compiler: specs, SQL, debug info, decoding."""
