"""The speed targets, measured: one module a topic, `python -P -m benchmarks.NAME`."""
