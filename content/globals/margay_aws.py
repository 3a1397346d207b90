"""Who did what, for detections over AWS.CloudTrail."""


def actor(event) -> str:
    """Short name of the caller: the user, the session of a role, or what kind of caller it is."""
    identity = event.get("userIdentity") or {}
    arn = identity.get("arn") or ""
    return identity.get("userName") or arn.rsplit("/", 1)[-1] or identity.get("type") or "unknown"


def context(event) -> dict:
    """What an analyst asks first."""
    return {
        "account": event.get("recipientAccountId"),
        "region": event.get("awsRegion"),
        "ip": event.get("sourceIPAddress"),
        "userAgent": event.get("userAgent"),
        "arn": (event.get("userIdentity") or {}).get("arn"),
    }
