def rule(event):
    return event.get("eventType") == "user.account.lock"


def dedup(event):
    return event.deep_get("client", "ipAddress", default="unknown address")


def unique(event):
    return event.deep_walk("target", "alternateId", default="?", return_val="first")


def title(event):
    return f"Accounts are locked after wrong passwords from {dedup(event)}"


def alert_context(event):
    return {"ip": dedup(event), "user": unique(event)}
