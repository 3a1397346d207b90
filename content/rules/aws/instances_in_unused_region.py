from margay_aws import actor, context

MANY = 20


def count(event):
    wanted = event.deep_get("requestParameters", "instancesSet", "items", default=[])
    return max((item.get("maxCount") or 0 for item in wanted), default=0)


def rule(event):
    return event.get("eventName") == "RunInstances" and not event.get("errorCode") and count(event) >= MANY


def title(event):
    return f"{actor(event)} started {count(event)} instances in {event.get('awsRegion', '?')}"


def severity(event):
    return "HIGH" if count(event) >= 5 * MANY else "DEFAULT"


def alert_context(event):
    return {**context(event), "type": event.deep_get("requestParameters", "instanceType")}
