"""Entry of the guest: answers one request at a time.

Everything enters and leaves as bytes: `step()` reads one request from a file of the in-memory file system and writes
one answer. No object of the host ever reaches this interpreter.
"""

from __future__ import annotations

import json
from typing import Any

from margay_cache import cache
from margay_content import Content
from margay_errors import describe
from margay_evaluation import PROGRESS_FILE, Evaluation
from margay_testing import run_tests

REQUEST_FILE = "/margay/request"
RECORDS_FILE = "/margay/records"
ANSWER_FILE = "/margay/answer"

_evaluation: Evaluation | None = None


def _handle(request: dict[str, Any]) -> dict[str, Any]:
    global _evaluation
    kind = request["kind"]
    if kind == "load":
        with open(RECORDS_FILE, "rb") as file:
            source = json.loads(file.read())
        with open(PROGRESS_FILE, "wb", buffering=0) as progress:
            content = Content(source, frozenset(request.get("skip", ())), progress)
        _evaluation = Evaluation(content)
        return {"errors": content.errors}
    if _evaluation is None:
        return {"failure": "no content is loaded"}
    if kind == "ping":
        return {"errors": []}
    if kind == "evaluate":
        with open(RECORDS_FILE, "rb") as file:
            records = file.read()
        cache.begin(request.get("now"))
        answer = _evaluation.evaluate(request, records)
        return {**answer, "cache": cache.end()}
    if kind == "plan":
        return _evaluation.index.plan(request["logType"])
    if kind == "explain":
        return {"rules": [_evaluation.index.explain(number) for number in request["rules"]]}
    if kind == "test":
        cache.begin(None)
        return run_tests(_evaluation.content, request)
    return {"failure": f"unknown request {kind!r}"}


def step() -> None:
    """Answers the request that lies in the file system. Never raises."""
    try:
        with open(REQUEST_FILE, "rb") as file:
            answer = _handle(json.loads(file.read()))
    except BaseException as error:
        answer = {"failure": describe(error)["message"], "exception": type(error).__name__}
    try:
        text = json.dumps(answer)
    except BaseException as error:
        text = json.dumps({"failure": describe(error)["message"], "exception": type(error).__name__})
    with open(ANSWER_FILE, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
