from margay_event import PantherEvent

__all__ = ["PantherEvent"]
