from margay_aws import actor, context


def rule(event):
    owner = event.deep_get("requestParameters", "userName")
    return (
        event.get("eventName") == "CreateAccessKey"
        and not event.get("errorCode")
        and owner is not None
        and owner != event.deep_get("userIdentity", "userName")
    )


def title(event):
    return f"{actor(event)} made an access key for {event.deep_get('requestParameters', 'userName')}"


def alert_context(event):
    return context(event)
