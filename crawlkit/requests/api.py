"""requests.api: one function for each method, each with a session of its own."""

from crawlkit.sessions.api import delete, get, head, options, patch, post, put, request
from crawlkit.sessions.response import Response

__all__ = ["Response", "delete", "get", "head", "options", "patch", "post", "put", "request"]
