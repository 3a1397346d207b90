import re
from ipaddress import ip_address

from margay_aws import context

SESSION = re.compile(r"i-[0-9a-f]{8,17}$")


def is_public(text):
    try:
        return ip_address(text).is_global
    except ValueError:
        return False


def rule(event):
    arn = event.deep_get("userIdentity", "arn", default="")
    return (
        event.deep_get("userIdentity", "type") == "AssumedRole"
        and SESSION.search(arn) is not None
        and is_public(event.get("sourceIPAddress") or "")
        and not (event.get("userAgent") or "").endswith(".amazonaws.com")
        and event.get("vpcEndpointId") is None
    )


def dedup(event):
    return event.deep_get("userIdentity", "arn", default="?")


def title(event):
    return f"The role of an instance is used from {event.get('sourceIPAddress')}: {dedup(event)}"


def alert_context(event):
    return context(event)
