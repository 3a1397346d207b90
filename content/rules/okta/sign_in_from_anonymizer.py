def rule(event):
    return (
        event.get("eventType") == "user.session.start"
        and event.deep_get("outcome", "result") == "SUCCESS"
        and event.deep_get("securityContext", "isProxy") is True
    )


def title(event):
    return f"{event.deep_get('actor', 'alternateId', default='?')} signed in through a proxy at {event.deep_get('client', 'ipAddress', default='?')}"


def dedup(event):
    return event.deep_get("actor", "alternateId", default="?")


def alert_context(event):
    return {"ip": event.deep_get("client", "ipAddress"), "network": event.deep_get("securityContext", "asOrg")}
