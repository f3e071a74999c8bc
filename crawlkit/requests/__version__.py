"""`requests.__version__`: which release of requests this interface follows. crawlkit's own version is
crawlkit.__version__.

Programs compare it to know what they may use, so it must be requests' number.
"""

from crawlkit.version import HOMEPAGE

__title__ = "crawlkit.requests"
__description__ = "requests' interface over crawlkit's sessions."
__url__ = HOMEPAGE
__version__ = "2.34.2"
__build__ = 0x023402
__author__ = "The crawlkit developers"
__author_email__ = ""
__license__ = "Apache-2.0"
__copyright__ = "The crawlkit developers"
__cake__ = "\u2728 \U0001f370 \u2728"
