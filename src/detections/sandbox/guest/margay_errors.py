"""What authors are told when their code fails, bounded in length."""

from __future__ import annotations

from collections import deque

TEXT_MAX = 1000
TEXT_TAIL = "... (truncated)"
FRAMES_MAX = 5


class FunctionReturnTypeError(Exception):
    """A function of a detection returned a value of the wrong type."""


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
            lines.append(f"{code.co_filename.removeprefix('content/')}, line {trace.tb_lineno}, in {code.co_name}")
        trace = trace.tb_next
    return "\n".join(lines)


def describe(error: BaseException) -> dict[str, str]:
    """Name, text and place of an exception, bounded in length."""
    if isinstance(error, SyntaxError):
        place = f"{(error.filename or '').removeprefix('content/')}, line {error.lineno}"
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
