from margay_aws import actor, context

REFUSALS = {"AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation"}


def rule(event):
    return event.get("errorCode") in REFUSALS and event.deep_get("userIdentity", "type") != "AWSService"


def unique(event):
    return f"{event.get('eventSource')}:{event.get('eventName')}"


def dedup(event):
    return event.deep_get("userIdentity", "arn", default="unknown")


def title(event):
    return f"{actor(event)} is refused many different calls"


def alert_context(event):
    return context(event)
