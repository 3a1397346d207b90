"""The same grammar: filters and functions are always there."""

from margay_jsonpath import parse

__all__ = ["parse"]
