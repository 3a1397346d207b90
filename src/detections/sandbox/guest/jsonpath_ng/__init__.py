"""JSONPath under the name that content imports."""

from margay_jsonpath import parse
from margay_jsonpath_parts import JSONPathError, Match

DatumInContext = Match
JSONPathException = JSONPathError

__all__ = ["DatumInContext", "JSONPathError", "JSONPathException", "Match", "parse"]
