"""The archive of what a run fetched. What belongs here: WARC records, redaction, packages, the archive of a site.

What does not: crawling (crawl/), which meets the archive through the Protocols of crawl/recording.py.
"""
