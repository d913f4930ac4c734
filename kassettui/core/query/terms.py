"""What one `field` operator value means, by the field's type (spec: library L7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kassettui.core.query import literals
from kassettui.core.query.errors import QueryError
from kassettui.core.query.fields import FIELD_NAMES, SEQUENCE_STATES, STATES, Field, Type
from kassettui.core.query.syntax import (
    Interval,
    IsTrue,
    Match,
    Node,
    Not,
    NumberIn,
    OneOf,
    Or,
    Present,
    Span,
    TextIn,
    TextIs,
    TimeIn,
    ascii_lower,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kassettui.core.query.tokens import Piece, Token

MAX_PATTERN: Final = 256
_UNRATED: Final = ("unrated", "none")


class _Term(NamedTuple):
    """A term on its way to its meaning."""

    query: str
    token: Token
    field: Field
    operator: str
    value: Piece
    upper: Piece | None
    now: datetime

    @property
    def span(self) -> Span:
        return self.token.span

    def error(self, message: str, piece: Piece | None = None, remedy: str = "") -> QueryError:
        span = piece.span if piece is not None and piece.span.end > piece.span.start else self.token.span
        length = span.end - span.start
        return QueryError(message, query=self.query, position=span.start, length=length, remedy=remedy)


def term(query: str, token: Token, field: Field, now: datetime) -> Node:
    """The predicate that `token`, a term about `field`, stands for. Raises QueryError for nonsense."""
    value = token.value
    if value is None or (not value.text and not value.quoted and token.upper is None):
        place = token.span
        raise QueryError(
            f"{field.name}{token.operator} needs a value.",
            query=query,
            position=place.start,
            length=place.end - place.start,
            remedy=f"{field.name}:* finds every asset that has one.",
        )
    negated = token.operator == "!="
    operator = "=" if negated else token.operator
    that = _Term(query, token, field, operator, value, token.upper, now)
    node = Present(field, token.span) if _is_star(that) else _READERS[field.type](that)
    if not negated:
        return node
    return node.operand if isinstance(node, Not) else Not(node, token.span)


def _is_star(that: _Term) -> bool:
    star = (
        that.operator in (":", "=")
        and that.upper is None
        and that.value.text == "*"
        and not that.value.quoted
    )
    return star and that.field.type is not Type.FLAG


# -- text -------------------------------------------------------------------------------------------------


def _text(that: _Term) -> Node:
    field, value, operator = that.field, that.value, that.operator
    if operator not in (":", "=", "~") and field.many:
        raise that.error(f"{field.name} is a set; it has no order.", remedy=f"Use {field.name}:, = or ~.")
    if that.upper is not None:
        return _text_range(that, that.upper)
    if operator == "=":
        if value.text:
            return TextIs(field, Match.EXACT, value.text, that.span)
        return Not(Present(field, that.span), that.span)
    if not value.text:
        raise that.error(f"There is nothing between these quotes; {field.name} always contains that.", value)
    if operator == "~":
        if len(value.text) > MAX_PATTERN:
            raise that.error(f"A pattern may have {MAX_PATTERN} characters.", value)
        return TextIs(field, Match.REGEX, value.text, that.span)
    if operator == ":":
        wild = "*" in value.text and not value.quoted
        return TextIs(field, Match.GLOB if wild else Match.CONTAINS, value.text, that.span)
    text = ascii_lower(value.text)
    if operator in (">", ">="):
        return TextIn(field, text, None, low_open=operator == ">", span=that.span)
    return TextIn(field, None, text, high_open=operator == "<", span=that.span)


def _text_range(that: _Term, upper: Piece) -> Node:
    """Both ends make a range; with one the dots are part of the text, as in `path:../plates`."""
    low, high = that.value, upper
    if that.field.many or not low.text or not high.text:
        text = f"{low.text}..{high.text}"
        return TextIs(that.field, Match.CONTAINS, text, that.span)
    first, last = ascii_lower(low.text), ascii_lower(high.text)
    if first > last:
        raise that.error("This range runs backwards.")
    return TextIn(that.field, first, last, span=that.span)


# -- closed lists -----------------------------------------------------------------------------------------


def _flag(that: _Term) -> Node:
    text = that.value.text.lower()
    if that.operator not in (":", "=") or that.upper is not None:
        raise that.error(f"{that.field.name} is yes or no.")
    if text in literals.YES:
        return IsTrue(that.field, that.span)
    if text in literals.NO:
        return Not(IsTrue(that.field, that.span), that.span)
    raise that.error(f"{that.field.name} is yes or no.", that.value)


def _choice(that: _Term) -> Node:
    field, text = that.field, that.value.text.lower()
    if that.operator not in (":", "=") or that.upper is not None:
        raise that.error(f"{field.name} takes : or =.")
    if text in field.choices:
        found: tuple[str, ...] = (text,)
    else:
        # A part of a value is enough, so that what is being typed finds something.
        found = (
            tuple(choice for choice in field.choices if text in choice)
            if that.operator == ":" and text
            else ()
        )
    if not found:
        raise that.error(f"{field.name} is one of: {', '.join(field.choices)}.", that.value)
    if field.name != "state":
        return OneOf(field, found, that.span)
    return _state(that, found)


def _state(that: _Term, found: tuple[str, ...]) -> Node:
    """`state:` asks for where an asset stands, and for the state of a sequence (spec: sequences)."""
    standing = tuple(choice for choice in found if choice in STATES)
    health = tuple(choice for choice in found if choice in SEQUENCE_STATES)
    parts: list[Node] = []
    if standing:
        parts.append(OneOf(that.field, standing, that.span))
    if health:
        parts.append(OneOf(FIELD_NAMES["health"], health, that.span))
    return parts[0] if len(parts) == 1 else Or(tuple(parts), that.span)


# -- numbers and times ------------------------------------------------------------------------------------


def _read(that: _Term, piece: Piece) -> float | int:
    """The number that `piece` stands for. Raises QueryError with what the field takes."""
    try:
        return _NUMBERS[that.field.type](piece.text)
    except literals.BadLiteral as error:
        raise that.error(f"{that.field.name} takes {error}.", piece) from error


def _number(that: _Term) -> Node:
    field, operator = that.field, that.operator
    if field.type is Type.RATING and that.upper is None and that.value.text.lower() in _UNRATED:
        if operator not in (":", "="):
            raise that.error("unrated is no number to compare with.", that.value)
        return Not(Present(field, that.span), that.span)
    if operator == "~":
        raise that.error(f"{field.name} is a {field.type}; patterns are for text.")
    if that.upper is not None:
        low = _read(that, that.value) if that.value.text else None
        high = _read(that, that.upper) if that.upper.text else None
        if low is None and high is None:
            raise that.error("A range needs at least one end.")
        if low is not None and high is not None and low > high:
            raise that.error("This range runs backwards.")
        return NumberIn(field, Interval(low, high), that.span)
    value = _read(that, that.value)
    intervals = {
        ">": Interval(low=value, low_open=True),
        ">=": Interval(low=value),
        "<": Interval(high=value, high_open=True),
        "<=": Interval(high=value),
    }
    return NumberIn(field, intervals.get(operator, Interval(value, value)), that.span)


def _period(that: _Term, piece: Piece) -> literals.Period:
    try:
        return literals.time(piece.text, that.now)
    except literals.BadLiteral as error:
        raise that.error(f"{that.field.name} takes {error}.", piece) from error


def _time(that: _Term) -> Node:
    """A day is a day: `=` is within it, `>` after its end. An age compares the other way round."""
    field, operator = that.field, that.operator
    if operator == "~":
        raise that.error(f"{field.name} is a {field.type}; patterns are for text.")
    if that.upper is not None:
        return _time_range(that, that.upper)
    period = _period(that, that.value)
    if period.age:
        operator = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": ">=", ":": ">="}[operator]
    elif period.start == period.end and operator in (":", "="):
        operator = ">="  # a moment such as -7d: since then
    # An instant that is included or excluded makes a difference of one microsecond.
    instant = period.start == period.end
    low, high = {
        ">": (period.end + instant, None),
        ">=": (period.start, None),
        "<": (None, period.start),
        "<=": (None, period.end + instant),
    }.get(operator, (period.start, period.end))
    return TimeIn(field, low, high, that.span)


def _time_range(that: _Term, upper: Piece) -> Node:
    low = _period(that, that.value) if that.value.text else None
    high = _period(that, upper) if upper.text else None
    if low is None and high is None:
        raise that.error("A range needs at least one end.")
    if low is not None and high is not None and low.age and high.age and low.start > high.start:
        low, high = high, low  # 2d..7d: between two and seven days old
    start = None if low is None else low.start
    end = None if high is None else high.end + (high.start == high.end)
    if start is not None and end is not None and start >= end:
        raise that.error("This range runs backwards.")
    return TimeIn(that.field, start, end, that.span)


_NUMBERS: Final[dict[Type, Callable[[str], float | int]]] = {
    Type.NUMBER: literals.number,
    Type.SIZE: literals.size,
    Type.DURATION: literals.duration,
    Type.RATING: literals.rating,
    Type.VERSION: literals.version,
}
_READERS: Final[dict[Type, Callable[[_Term], Node]]] = {
    Type.TEXT: _text,
    Type.CHOICE: _choice,
    Type.FLAG: _flag,
    Type.TIME: _time,
    **dict.fromkeys(_NUMBERS, _number),
}
