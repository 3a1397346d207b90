def rule(event):
    return (
        event.get("eventType") == "user.authentication.auth_via_mfa"
        and event.deep_get("outcome", "result") == "FAILURE"
    )


def dedup(event):
    return event.deep_get("actor", "alternateId", default="?")


def title(event):
    return f"{event.deep_get('actor', 'alternateId', default='?')} refused many push messages"


def alert_context(event):
    return {"ip": event.deep_get("client", "ipAddress"), "reason": event.deep_get("outcome", "reason")}
