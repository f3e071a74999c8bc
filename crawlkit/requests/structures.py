"""requests.structures."""

from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.status_codes import LookupDict

__all__ = ["CaseInsensitiveDict", "LookupDict"]
