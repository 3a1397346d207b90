import re
from urllib.parse import unquote_plus

PATTERNS = {
    "SQL": re.compile(r"union\s+(all\s+)?select|;\s*drop\s+table|'\s*or\s+'?1'?\s*=\s*'?1", re.IGNORECASE),
    "path traversal": re.compile(r"\.\./\.\./|/etc/passwd|win\.ini", re.IGNORECASE),
    "lookup": re.compile(r"\$\{(jndi|env|sys):", re.IGNORECASE),
    "script": re.compile(r"<script\b|javascript:", re.IGNORECASE),
}


def kind(event):
    text = unquote_plus(unquote_plus(f"{event.get('request') or ''} {event.get('httpUserAgent') or ''}"))[:4000]
    return next((name for name, pattern in PATTERNS.items() if pattern.search(text)), None)


def rule(event):
    return kind(event) is not None


def severity(event):
    return "HIGH" if event.get("status") == 200 and kind(event) == "lookup" else "DEFAULT"


def dedup(event):
    return f"{event.get('remoteAddr')}:{kind(event)}"


def title(event):
    return f"{event.get('remoteAddr', '?')} sends {kind(event)} in web requests"


def alert_context(event):
    return {"request": event.get("request"), "status": event.get("status"), "agent": event.get("httpUserAgent")}
