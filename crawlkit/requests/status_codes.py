"""requests.status_codes."""

from crawlkit.sessions.status_codes import NAMES, LookupDict, codes

# betamax looks reasons up here.
_codes = {code: tuple(names.split()) for code, names in NAMES.items()}

__all__ = ["LookupDict", "codes"]
