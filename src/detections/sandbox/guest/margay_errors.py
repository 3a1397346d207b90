"""What authors are told when their code fails, bounded in length."""

from __future__ import annotations

from collections import deque
from typing import Any

from margay_modules import place_of

TEXT_MAX = 1000
TEXT_TAIL = "... (truncated)"
FRAMES_MAX = 5


class FunctionReturnTypeError(Exception):
    """A function of a detection returned a value of the wrong type."""

    def __init__(self, text: str, function: Any) -> None:
        super().__init__(text)
        self.function = function


def truncate(text: str) -> str:
    """At most 1,000 characters, the end saying when some are gone."""
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - len(TEXT_TAIL)] + TEXT_TAIL


def _own_frames(error: BaseException) -> str:
    """The traceback as its author may see it: lines of content only, none of this engine."""
    lines: deque[str] = deque(maxlen=FRAMES_MAX)
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith("content/"):
            lines.append(f"{place_of(code.co_filename)}, line {trace.tb_lineno}, in {code.co_name}")
        trace = trace.tb_next
    # It was raised here, after the function had returned.
    code = getattr(getattr(error, "function", None), "__code__", None)
    if not lines and isinstance(error, FunctionReturnTypeError) and code is not None:
        lines.append(f"{place_of(code.co_filename)}, line {code.co_firstlineno}, in {code.co_name}")
    return "\n".join(lines)


def describe(error: BaseException) -> dict[str, str]:
    """Name, text and place of an exception, bounded in length."""
    if isinstance(error, SyntaxError):
        place = f"{place_of(error.filename or '')}, line {error.lineno}"
        caret = "" if error.text is None else f"\n{error.text.rstrip()}\n{' ' * max((error.offset or 1) - 1, 0)}^"
        return {"exception": "SyntaxError", "message": truncate(f"{error.msg}: {place}{caret}"), "traceback": place}
    try:
        text = str(error)
    except Exception:  # an author's exception class may have a broken __str__
        text = "(no text)"
    return {
        "exception": type(error).__name__,
        "message": truncate(text or type(error).__name__),
        "traceback": _own_frames(error)[:4000],
    }
