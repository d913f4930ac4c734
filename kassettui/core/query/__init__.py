"""The query grammar: text to tokens to tree, with its errors and completions (spec: library L7).

One grammar for `find`, `ls`, selectors, saved searches and the screen's filter bar. No I/O: what a tree finds
is compiled by `kassettui.library.search`.
"""

from __future__ import annotations

from kassettui.core.query.chips import Chip, chips, replaced, without
from kassettui.core.query.completion import Candidate, Completion, complete, quoted
from kassettui.core.query.errors import QueryError
from kassettui.core.query.explain import explain
from kassettui.core.query.parser import parse
from kassettui.core.query.syntax import Query, SortKey

__all__ = [
    "Candidate",
    "Chip",
    "Completion",
    "Query",
    "QueryError",
    "SortKey",
    "chips",
    "complete",
    "explain",
    "parse",
    "quoted",
    "replaced",
    "without",
]
