def event_type(event):
    if event.get("eventType") != "user.session.start":
        return None
    result = (event.get("outcome") or {}).get("result")
    return "successful_login" if result == "SUCCESS" else "failed_login"
