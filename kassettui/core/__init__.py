"""The rules, without any I/O: frames and sequences, identity, decisions, lifecycle, queries, errors."""
