from margay_aws import actor, context

QUIET = {"StopLogging", "DeleteTrail"}


def rule(event):
    return (
        event.get("eventSource") == "cloudtrail.amazonaws.com"
        and event.get("eventName") in QUIET
        and not event.get("errorCode")
    )


def title(event):
    return f"{actor(event)} ran {event.get('eventName')} on trail {event.deep_get('requestParameters', 'name', default='?')}"


def alert_context(event):
    return context(event)
