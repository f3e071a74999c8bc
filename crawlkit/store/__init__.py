"""The SQLite file of one spider: its items, its frontier, its runs. What belongs here: every word of SQL about them.

What does not: what to fetch and when (crawl/), profiles and cookies (sessions/vault, an own file).
"""
