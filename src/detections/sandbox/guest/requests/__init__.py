"""Detections have no network. The module exists so that content which imports it loads; every call raises."""

from requests.exceptions import ConnectionError, HTTPError, RequestException, Timeout


class Response:
    """Never made here; for isinstance and annotations."""


def request(method: str, url: str, **_options: object) -> Response:
    raise ConnectionError(f"{method} is not available to detections: they run without network access")


def _method(name: str):
    def call(url: str, **options: object) -> Response:
        return request(name, url, **options)

    call.__name__ = name.lower()
    return call


get, post, put, patch, delete, head, options = (
    _method(name) for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
)


class Session:
    """A session whose every call raises."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    def request(self, method: str, url: str, **options: object) -> Response:
        return request(method, url, **options)

    get, post, put, patch, delete, head = (
        (lambda name: lambda self, url, **options: request(name, url, **options))(name)
        for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
    )

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_error: object) -> None:
        return None


__all__ = ["ConnectionError", "HTTPError", "RequestException", "Response", "Session", "Timeout", "request"]
