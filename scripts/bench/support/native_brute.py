"""The baseline of the detections benchmark: the same engine on plain CPython, every rule on every event, one process.

Arguments: folder of the engine, folder of libraries or "-", content (JSON), log type, then files of records. Prints one
JSON line per file: CPU seconds and the answer.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    engine, libraries, content_file, *rest = sys.argv[1:]
    sys.path[:0] = [engine] if libraries == "-" else [engine, libraries]
    from margay_cache import cache
    from margay_content import Content
    from margay_evaluation import Evaluation

    with open(content_file, encoding="utf-8") as file:
        content = Content(json.load(file))
    evaluation = Evaluation(content)
    for log_type, name in zip(rest[::2], rest[1::2]):
        with open(name, "rb") as file:
            records = file.read()
        cache.begin(None)
        started = time.process_time()
        answer = evaluation.evaluate({"logType": log_type}, records)
        text = json.dumps({**answer, "cache": cache.end()})
        seconds = time.process_time() - started
        sys.stdout.write(f'{{"seconds": {seconds}, "answer": {text}}}\n')


if __name__ == "__main__":
    main()
