from margay_aws import actor, context


def rule(event):
    return (
        event.get("eventName") == "ConsoleLogin"
        and event.deep_get("responseElements", "ConsoleLogin") == "Success"
        and event.deep_get("userIdentity", "type") == "IAMUser"
        and event.deep_get("additionalEventData", "MFAUsed") == "No"
    )


def title(event):
    return f"{actor(event)} signed in to the console without a second factor"


def alert_context(event):
    return context(event)
