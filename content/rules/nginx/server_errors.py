def rule(event):
    status = event.get("status")
    return isinstance(status, int) and 500 <= status <= 599


def dedup(event):
    return event.get("remoteAddr") or "unknown address"


def title(event):
    return f"{dedup(event)} gets many server errors"


def alert_context(event):
    return {"request": event.get("request"), "status": event.get("status")}
