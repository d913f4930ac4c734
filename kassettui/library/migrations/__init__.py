"""The library's schema, step by step: `NNNN_name.py` holds `up(db)` and `down(db)`.

A released step never changes; what it got wrong, a later one mends.
"""
