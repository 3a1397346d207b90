from margay_aws import actor, context

ADMIN_PORTS = {22, 3389, 3306, 5432, 6379, 9200, 27017}
ANYWHERE = {"0.0.0.0/0", "::/0"}


def open_ports(event):
    found = set()
    for permission in event.deep_get("requestParameters", "ipPermissions", "items", default=[]):
        ranges = event_ranges(permission)
        low, high = permission.get("fromPort"), permission.get("toPort")
        if ANYWHERE & ranges and isinstance(low, int) and isinstance(high, int):
            found |= {port for port in ADMIN_PORTS if low <= port <= high}
    return sorted(found)


def event_ranges(permission):
    four = (permission.get("ipRanges") or {}).get("items") or []
    six = (permission.get("ipv6Ranges") or {}).get("items") or []
    return {item.get("cidrIp") for item in four} | {item.get("cidrIpv6") for item in six}


def rule(event):
    return event.get("eventName") == "AuthorizeSecurityGroupIngress" and not event.get("errorCode") and bool(open_ports(event))


def title(event):
    ports = ", ".join(str(port) for port in open_ports(event))
    return f"{actor(event)} opened {event.deep_get('requestParameters', 'groupId', default='?')} to the internet on port {ports}"


def alert_context(event):
    return {**context(event), "ports": open_ports(event)}
