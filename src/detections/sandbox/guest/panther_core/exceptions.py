from margay_event import PantherError


class FunctionReturnTypeError(Exception):
    """A function of a detection returned a value of the wrong type."""


class UnknownDestinationError(Exception):
    """destinations() named a destination that does not exist."""


__all__ = ["FunctionReturnTypeError", "PantherError", "UnknownDestinationError"]
