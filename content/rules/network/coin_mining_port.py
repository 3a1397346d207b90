from ipaddress import ip_address

POOL_PORTS = {3333, 4444, 5555, 7777, 14433, 14444, 45700}


def is_global(text):
    try:
        return ip_address(text).is_global
    except ValueError:
        return False


def rule(event):
    return event.get("action") == "ACCEPT" and event.get("dstPort") in POOL_PORTS and is_global(event.get("dstAddr") or "")


def dedup(event):
    return f"{event.get('srcAddr')}:{event.get('dstPort')}"


def title(event):
    return f"{event.get('srcAddr')} talks to {event.get('dstAddr')} on port {event.get('dstPort')}"
