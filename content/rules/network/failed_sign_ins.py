def rule(event):
    return event.udm("event_type") == "failed_login"


def dedup(event):
    return str(event.udm("source_ip", default="?"))


def title(event):
    return f"Many failed sign-ins from {event.udm('source_ip', default='?')}"


def alert_context(event):
    return {"user": event.udm("actor_user")}
