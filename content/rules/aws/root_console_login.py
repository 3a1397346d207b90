from margay_aws import actor, context


def rule(event):
    return (
        event.get("eventName") == "ConsoleLogin"
        and event.deep_get("userIdentity", "type") == "Root"
        and event.deep_get("responseElements", "ConsoleLogin") == "Success"
    )


def title(event):
    return f"Root user of AWS account {event.get('recipientAccountId')} signed in from {event.get('sourceIPAddress')}"


def severity(event):
    return "CRITICAL" if event.deep_get("additionalEventData", "MFAUsed") != "Yes" else "DEFAULT"


def dedup(event):
    return str(event.get("recipientAccountId"))


def alert_context(event):
    return {**context(event), "mfa": event.deep_get("additionalEventData", "MFAUsed"), "actor": actor(event)}
