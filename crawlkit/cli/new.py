"""`crawlkit new`: a spider that runs, to start from."""

from __future__ import annotations

import re
from pathlib import Path

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import debug_option, require_url
from crawlkit.cli.outputs import shown
from crawlkit.exceptions import UsageError

_EXAMPLE_URL = "https://example.org/"

_TEMPLATE = '''"""{title}: the title and heading of each page."""

from crawlkit import Response, Spider


class {class_name}(Spider):
    name = "{name}"
    start_urls = ["{url}"]
    key = "url"  # what identifies an item: crawled again, its row is updated
    custom_settings = {{"crawl": {{"max_depth": 1}}}}  # links this far from the start; take it out for the whole site

    def parse(self, response: Response):
        yield {{
            "url": response.url,
            "title": response.css("title::text").get(),
            "heading": response.css("h1::text").get(),
        }}
        yield from response.follow_all("a", callback=self.parse)
'''


@click.command("new")
@click.argument("name")
@click.argument("url", default=_EXAMPLE_URL)
@debug_option
def command(name: str, url: str, debug: bool) -> int:
    """Write spiders/NAME.py, a spider that starts at URL. A file that is there is left as it is."""
    from crawlkit.crawl.loading import RESERVED_NAMES
    from crawlkit.crawl.spider import NAME

    require_url(url)
    if not NAME.match(name):
        raise UsageError(
            f"{name!r} cannot be a spider's name: lower-case letters, digits, . _ - and a letter or digit first"
        )
    if name in RESERVED_NAMES:
        raise UsageError(f"{name!r} is reserved; choose another name")
    if re.search(r'["\\\\\s]', url):
        raise UsageError(f"{url!r}: a URL has no quotes, backslashes or blanks; percent-encode them")
    path = Path("spiders") / f"{name}.py"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.format(name=name, class_name=class_name(name), title=class_name(name), url=url))
    except FileExistsError:
        raise UsageError(f"{path}: is there already and was left as it is; choose another name") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    click.echo(f"wrote {shown(path)}; run it with: crawlkit run {shown(path)}")
    return exit_codes.COMPLETE


def class_name(name: str) -> str:
    """`my-shop` → `MyShop`; a digit first becomes `Spider2000`."""
    joined = "".join(part[:1].upper() + part[1:] for part in re.split(r"[._-]+", name))
    return joined if joined[:1].isalpha() else f"Spider{joined}"
