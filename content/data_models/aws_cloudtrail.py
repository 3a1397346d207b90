def event_type(event):
    outcome = (event.get("responseElements") or {}).get("ConsoleLogin") if event.get("eventName") == "ConsoleLogin" else None
    return {"Failure": "failed_login", "Success": "successful_login"}.get(outcome)
