SIGNS = ("../", "..%2f", "/etc/passwd", "/.env", "/.git/config", "/wp-login.php", "union+select", "<script")


def rule(event):
    request = event.get("request")
    return isinstance(request, str) and any(sign in request.lower() for sign in SIGNS)


def severity(event):
    status = event.get("status")
    return "HIGH" if isinstance(status, int) and 200 <= status < 300 else "DEFAULT"


def dedup(event):
    return str(event.get("remoteAddr"))


def title(event):
    return f"Web server is probed from {event.get('remoteAddr')}"


def alert_context(event):
    return {"request": event.get("request"), "status": event.get("status"), "agent": event.get("httpUserAgent")}
