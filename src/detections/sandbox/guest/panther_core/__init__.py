"""Names that detection content imports from `panther_core`."""

from margay_event import PantherEvent

__all__ = ["PantherEvent"]
