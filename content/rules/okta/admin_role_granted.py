def rule(event):
    return event.get("eventType") == "user.account.privilege.grant" and event.deep_get("outcome", "result") == "SUCCESS"


def target(event):
    return event.deep_walk("target", "alternateId", default="?", return_val="first")


def title(event):
    return f"{event.deep_get('actor', 'alternateId', default='?')} gave {target(event)} an administrator role"


def alert_context(event):
    return {"actor": event.deep_get("actor", "alternateId"), "target": target(event), "ip": event.deep_get("client", "ipAddress")}
