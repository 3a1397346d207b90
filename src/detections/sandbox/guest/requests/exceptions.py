"""Exceptions that content catches around its calls."""


class RequestException(IOError):
    """Base of all of them."""


class HTTPError(RequestException):
    pass


class ConnectionError(RequestException):
    pass


class Timeout(RequestException):
    pass


class JSONDecodeError(RequestException, ValueError):
    pass
