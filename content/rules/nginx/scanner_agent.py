SCANNERS = ("sqlmap", "nikto", "nuclei", "masscan", "zgrab", "wpscan", "gobuster", "dirbuster", "acunetix", "nessus")


def scanner(event):
    agent = (event.get("httpUserAgent") or "").lower()
    return next((name for name in SCANNERS if name in agent), None)


def rule(event):
    return scanner(event) is not None


def dedup(event):
    return f"{event.get('remoteAddr')}:{scanner(event)}"


def title(event):
    return f"{event.get('remoteAddr', '?')} scans with {scanner(event)}"
