from margay_aws import actor, context

ATTACH = {"AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy"}


def rule(event):
    policy = event.deep_get("requestParameters", "policyArn", default="")
    return (
        event.get("eventName") in ATTACH
        and not event.get("errorCode")
        and isinstance(policy, str)
        and policy.endswith(":policy/AdministratorAccess")
    )


def target(event):
    parameters = event.get("requestParameters") or {}
    return parameters.get("userName") or parameters.get("roleName") or parameters.get("groupName") or "?"


def title(event):
    return f"{actor(event)} gave {target(event)} administrator access"


def alert_context(event):
    return {**context(event), "target": target(event)}
