"""The command line: what stands on stdout and stderr, which exit code, and what each command answers."""
