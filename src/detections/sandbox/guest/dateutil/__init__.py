"""The part of the `dateutil` interface that detections use, written for this engine: parser, relativedelta and tz."""

__all__ = ["parser", "relativedelta", "tz", "utils"]
