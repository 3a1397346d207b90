from ipaddress import ip_address

MANY_BYTES = 5 * 1024**3


def is_global(text):
    try:
        return ip_address(text).is_global
    except ValueError:
        return False


def rule(event):
    return (
        event.get("action") == "ACCEPT"
        and (event.get("bytes") or 0) >= MANY_BYTES
        and is_global(event.get("dstAddr") or "")
        and not is_global(event.get("srcAddr") or "")
    )


def dedup(event):
    return f"{event.get('srcAddr')}:{event.get('dstAddr')}"


def title(event):
    return f"{event.get('srcAddr')} sent {event.get('bytes', 0) // 1024**3} GiB to {event.get('dstAddr')}"


def alert_context(event):
    return {"interface": event.get("interfaceId"), "port": event.get("dstPort"), "bytes": event.get("bytes")}
