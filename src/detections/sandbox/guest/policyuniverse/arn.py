"""A name of an AWS resource, account or service in its parts."""

from __future__ import annotations

import re

_ACCOUNT = re.compile(r"\d{12}")
_SERVICE = re.compile(r"([a-z0-9-]+)(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


class ARN:
    """`error` is True for what is neither an ARN, an account number nor a service."""

    def __init__(self, text: str) -> None:
        self.arn = text
        self.error = self.root = self.service = False
        self.partition = self.tech = self.region = self.account_number = self.name = None
        parts = str(text).split(":", 5)
        service = _SERVICE.fullmatch(str(text))
        if len(parts) == 6 and parts[0] == "arn":
            _, self.partition, self.tech, self.region, self.account_number, self.name = parts
            self.root = self.name == "root"
        elif _ACCOUNT.fullmatch(str(text)):
            self.account_number = text
        elif service:
            self.tech, self.service = service[1], True
        else:
            self.error = True
