"""HTML: characters, parsing within caps, selecting. Knows markup and nothing of HTTP exchanges."""
