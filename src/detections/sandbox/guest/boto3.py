"""Detections have no network. The module exists so that content which imports it loads."""


def _closed(*_args, **_kwargs):
    raise RuntimeError("boto3 is not available to detections: they run without network access")


client = resource = Session = _closed
