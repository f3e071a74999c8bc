"""requests.hooks."""

from crawlkit.sessions.hooks import HOOKS, default_hooks, dispatch_hook

__all__ = ["HOOKS", "default_hooks", "dispatch_hook"]
