"""The version, alone in a file that imports nothing, so that `crawlkit --version` costs nothing."""

VERSION = "0.1.0"
HOMEPAGE = "https://crawlkit.example/"
