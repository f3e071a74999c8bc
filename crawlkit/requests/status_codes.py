"""requests.status_codes."""

from crawlkit.sessions.status_codes import LookupDict, codes

__all__ = ["LookupDict", "codes"]
