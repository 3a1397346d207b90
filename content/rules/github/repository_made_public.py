def rule(event):
    return (
        event.get("action") == "repo.access"
        and event.get("visibility") == "public"
        and event.get("previous_visibility") != "public"
    )


def title(event):
    return f"{event.get('actor')} made {event.get('repo')} public"


def alert_context(event):
    return {"actor": event.get("actor"), "repo": event.get("repo")}
