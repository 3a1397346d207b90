def rule(event):
    return event.get("action") == "REJECT" and isinstance(event.get("dstPort"), int)


def unique(event):
    return str(event.get("dstPort"))


def dedup(event):
    return f"{event.get('srcAddr')}:{event.get('dstAddr')}"


def title(event):
    return f"{event.get('srcAddr')} tries many ports of {event.get('dstAddr')}"


def severity(event):
    return "MEDIUM" if (event.get("srcAddr") or "").startswith("10.") else "DEFAULT"
