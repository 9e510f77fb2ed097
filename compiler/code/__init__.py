"""A binary's machine code and Go's own tables about it: functions, lines, inlined calls, live pointers, arguments, by PC."""
