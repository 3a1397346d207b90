REMOVED = {"protected_branch.destroy", "protected_branch.policy_override", "repository_ruleset.destroy"}


def rule(event):
    return event.get("action") in REMOVED


def title(event):
    return f"{event.get('actor')} removed the protection of a branch of {event.get('repo')}"


def alert_context(event):
    return {"actor": event.get("actor"), "repo": event.get("repo"), "action": event.get("action")}
