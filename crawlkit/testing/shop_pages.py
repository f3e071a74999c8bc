"""The demo bookshop's pages as HTML, its style sheet, robots.txt and sitemap. No HTTP: text in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from crawlkit.testing.bookshop import Book, Price

STYLE = """\
:root { color-scheme: light dark; --ink: light-dark(#232019, #ece7dc); --paper: light-dark(#fbf9f4, #1c1a17);
        --line: light-dark(#ddd5c4, #3b362e); --accent: light-dark(#8a3b12, #e59a6c); }
body { margin: 0 auto; max-width: 46rem; padding: 0 1.25rem 3rem; background: var(--paper); color: var(--ink);
       font: 1.05rem/1.55 Georgia, "Times New Roman", serif; }
header, footer { display: flex; gap: 1.25rem; align-items: baseline; padding: 1.1rem 0; }
header { border-bottom: 1px solid var(--line); } header a.shop { font-size: 1.35rem; margin-right: auto; }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem; font-size: .85rem; opacity: .75; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
h1 { font-weight: normal; line-height: 1.2; } ol.books { list-style: none; padding: 0; }
ol.books li { display: flex; gap: .75rem; padding: .5rem 0; border-bottom: 1px dotted var(--line); }
ol.books .from { margin-left: auto; font-variant-numeric: tabular-nums; } .author { font-style: italic; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
dl { display: grid; grid-template-columns: 7rem 1fr; } dt { opacity: .7; } dd { margin: 0; }
nav.pages { display: flex; justify-content: space-between; padding: 1rem 0; }
form label { display: block; margin: .8rem 0; } input { font: inherit; padding: .25rem .45rem; }
.error { color: #b3261e; }
"""

ROBOTS = """\
User-agent: *
Disallow: /basket
Disallow: /search

Sitemap: {base}/sitemap.xml
"""


def page(title: str, main: str, *, member: bool) -> str:
    """A whole page around its main part: the same frame for all, with who is logged in at its top."""
    if member:
        who = '<a class="account" href="/account">Your account</a> <a class="logout" href="/logout">Log out</a>'
    else:
        who = '<a class="login" href="/login">Log in</a>'
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} – The Quiet Room</title>\n"
        '<link rel="stylesheet" href="/style.css">\n</head>\n<body>\n'
        '<header><a class="shop" href="/">The Quiet Room</a> <a href="/books">Books</a> '
        f"{who}</header>\n<main>\n{main}\n</main>\n"
        "<footer>A demo bookshop. Nothing here can be bought.</footer>\n</body>\n</html>\n"
    )


def home(*, member: bool) -> str:
    """The front page, for everybody."""
    return page(
        "Welcome",
        "<h1>A bookshop for members</h1>\n<p>Listings, books and prices are for members. "
        '<a href="/login">Log in</a> or <a href="/books">go to the books</a>.</p>',
        member=member,
    )


def login(csrf: str, then: str, *, error: str = "") -> str:
    """The login form. `then` is the path to go to afterwards, `error` what went wrong the last time."""
    complaint = f'<p class="error">{escape(error)}</p>\n' if error else ""
    return page(
        "Log in",
        f"<h1>Log in</h1>\n{complaint}"
        '<form id="login" method="post" action="/login">\n'
        f'<input type="hidden" name="csrf" value="{escape(csrf)}">\n'
        f'<input type="hidden" name="next" value="{escape(then)}">\n'
        '<label>Name <input name="user" autocomplete="username" required></label>\n'
        '<label>Password <input name="password" type="password" autocomplete="current-password"></label>\n'
        '<label><input type="checkbox" name="remember" value="yes" checked> Remember me for a month</label>\n'
        '<button name="go" value="login">Log in</button>\n</form>',
        member=False,
    )


def code(csrf: str, then: str, ticket: str, remember: str, *, error: str = "") -> str:
    """The form for a one-time code; `ticket` shows that the password was right."""
    complaint = f'<p class="error">{escape(error)}</p>\n' if error else ""
    kept = {"csrf": csrf, "next": then, "ticket": ticket, "remember": remember}
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(text)}">\n' for name, text in kept.items())
    return page(
        "One more step",
        f"<h1>One more step</h1>\n{complaint}"
        f'<form id="code" method="post" action="/login/code">\n{hidden}'
        '<label>Code from your app <input name="otp" inputmode="numeric" autocomplete="one-time-code"></label>\n'
        '<button name="go" value="code">Log in</button>\n</form>',
        member=False,
    )


def account(username: str) -> str:
    """The member's own page."""
    hello = f'<h1>Your account</h1>\n<p>Hello, <b class="name">{escape(username)}</b>.</p>'
    return page("Your account", hello, member=True)


def listing(books: Sequence[Book], number: int, last: int, total: int) -> str:
    """One page of the listing: page `number` of `last`, with links to the ones before and after."""
    rows = "\n".join(
        f'<li class="book"><a class="title" href="{each.path}">{escape(each.title)}</a> '
        f'<span class="author">{escape(each.author)}</span> '
        f'<span class="from">from {pounds(min(price.pence for price in each.prices))}</span></li>'
        for each in books
    )
    before = f'<a class="prev" rel="prev" href="/books?page={number - 1}">Newer</a>' if number > 1 else ""
    after = f'<a class="next" rel="next" href="/books?page={number + 1}">Older</a>' if number < last else ""
    return page(
        f"Books, page {number}",
        f'<h1>Books</h1>\n<p class="count">{total} books</p>\n<ol class="books">\n{rows}\n</ol>\n'
        f'<nav class="pages"><span>{before}</span> <span class="where">Page {number} of {last}</span> '
        f"<span>{after}</span></nav>",
        member=True,
    )


def book(each: Book) -> str:
    """A book's own page, with its table of prices."""
    prices = "\n".join(_price_row(price) for price in each.prices)
    return page(
        each.title,
        f'<article class="book">\n<h1>{escape(each.title)}</h1>\n'
        f'<p>by <span class="author">{escape(each.author)}</span></p>\n'
        f'<p class="blurb">{escape(each.blurb)}</p>\n<dl>\n'
        f'<dt>Subject</dt><dd class="subject">{escape(each.subject)}</dd>\n'
        f'<dt>Published</dt><dd class="year">{each.year}</dd>\n'
        f'<dt>Pages</dt><dd class="pages">{each.pages}</dd>\n'
        f'<dt>ISBN</dt><dd class="isbn">{each.isbn}</dd>\n</dl>\n'
        '<table class="prices">\n<thead>\n'
        "<tr><th>Format</th><th>Price</th><th>Members</th><th>In stock</th></tr>\n"
        f"</thead>\n<tbody>\n{prices}\n</tbody>\n</table>\n</article>",
        member=True,
    )


def _price_row(price: Price) -> str:
    return (
        f'<tr><td class="format">{escape(price.format)}</td><td class="price">{pounds(price.pence)}</td>'
        f'<td class="member">{pounds(price.member_pence)}</td><td class="stock">{price.stock}</td></tr>'
    )


def missing(path: str, *, member: bool) -> str:
    """The page of a path that does not exist."""
    return page("Not here", f"<h1>Not here</h1>\n<p>There is no <code>{escape(path)}</code>.</p>", member=member)


def sitemap(base: str, books: Sequence[Book]) -> str:
    """sitemap.xml: the listing and every book (sitemaps.org, version 0.9)."""
    places = "".join(f"<url><loc>{escape(base + path)}</loc></url>\n" for path in ["/books", *(b.path for b in books)])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n'
    )


def pounds(pence: int) -> str:
    """An amount as the shop writes it: £8.99."""
    return f"£{pence // 100}.{pence % 100:02d}"
