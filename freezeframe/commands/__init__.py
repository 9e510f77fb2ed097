"""One module a command; `command` in it is what the command line runs."""
