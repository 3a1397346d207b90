from ipaddress import ip_address

ADMIN_PORTS = {22: "SSH", 3389: "remote desktop"}


def is_public(text):
    try:
        return ip_address(text).is_global
    except ValueError:
        return False


def rule(event):
    return event.get("action") == "ACCEPT" and event.get("dstPort") in ADMIN_PORTS and is_public(event.get("srcAddr", ""))


def dedup(event):
    return f"{event.get('dstAddr')}:{event.get('dstPort')}"


def title(event):
    return f"{ADMIN_PORTS.get(event.get('dstPort'), 'A port')} of {event.get('dstAddr')} was reached from {event.get('srcAddr')}"


def alert_context(event):
    return {"interface": event.get("interfaceId"), "bytes": event.get("bytes")}
