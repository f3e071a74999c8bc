"""The public suffix list: its published test cases, and what follows for hosts of requests."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crawlkit.sessions.suffixes import is_address, is_public_suffix, registrable_domain, same_site, site

# The list's own test cases: https://raw.githubusercontent.com/publicsuffix/list/main/tests/test_psl.txt
# ("Any copyright is dedicated to the Public Domain"): a name, and its registrable domain.
PUBLISHED = """
COM -                              example.COM example.com            WwW.example.COM example.com
.com -                             .example -                         .example.com -
.example.example -                 example -                          example.example example.example
b.example.example example.example  a.b.example.example example.example
biz -                              domain.biz domain.biz              b.domain.biz domain.biz
a.b.domain.biz domain.biz          com -                              example.com example.com
b.example.com example.com          a.b.example.com example.com        uk.com -
example.uk.com example.uk.com      b.example.uk.com example.uk.com    a.b.example.uk.com example.uk.com
test.ac test.ac                    mm -                               c.mm -
b.c.mm b.c.mm                      a.b.c.mm b.c.mm                    jp -
test.jp test.jp                    www.test.jp test.jp                ac.jp -
test.ac.jp test.ac.jp              www.test.ac.jp test.ac.jp          kyoto.jp -
test.kyoto.jp test.kyoto.jp        ide.kyoto.jp -                     b.ide.kyoto.jp b.ide.kyoto.jp
a.b.ide.kyoto.jp b.ide.kyoto.jp    c.kobe.jp -                        b.c.kobe.jp b.c.kobe.jp
a.b.c.kobe.jp b.c.kobe.jp          city.kobe.jp city.kobe.jp          www.city.kobe.jp city.kobe.jp
ck -                               test.ck -                          b.test.ck b.test.ck
a.b.test.ck b.test.ck              www.ck www.ck                      www.www.ck www.ck
us -                               test.us test.us                    www.test.us test.us
ak.us -                            test.ak.us test.ak.us              www.test.ak.us test.ak.us
k12.ak.us -                        test.k12.ak.us test.k12.ak.us      www.test.k12.ak.us test.k12.ak.us
食狮.com.cn 食狮.com.cn              食狮.公司.cn 食狮.公司.cn              www.食狮.公司.cn 食狮.公司.cn
shishi.公司.cn shishi.公司.cn        公司.cn -                           食狮.中国 食狮.中国
www.食狮.中国 食狮.中国                shishi.中国 shishi.中国             中国 -
xn--85x722f.com.cn xn--85x722f.com.cn
xn--85x722f.xn--55qx5d.cn xn--85x722f.xn--55qx5d.cn
www.xn--85x722f.xn--55qx5d.cn xn--85x722f.xn--55qx5d.cn
shishi.xn--55qx5d.cn shishi.xn--55qx5d.cn
xn--55qx5d.cn -
xn--85x722f.xn--fiqs8s xn--85x722f.xn--fiqs8s
www.xn--85x722f.xn--fiqs8s xn--85x722f.xn--fiqs8s
shishi.xn--fiqs8s shishi.xn--fiqs8s
xn--fiqs8s -
""".split()  # noqa: SIM905 - a table to look at


@pytest.mark.parametrize(("host", "domain"), list(zip(PUBLISHED[::2], PUBLISHED[1::2], strict=True)))
def test_published_cases(host: str, domain: str) -> None:
    """The registrable domain is the one that the list's authors say."""
    assert (None if domain == "-" else domain) == registrable_domain(host)


@pytest.mark.parametrize("host", ["com", "co.uk", "co.UK", "CO.uk", "co.uk.", "github.io", "localhost", "intranet"])
def test_public_suffixes(host: str) -> None:
    """Any case (curl CVE-2023-46218), a last dot, the private section, and names without a dot: nobody's
    alone.
    """
    assert is_public_suffix(host)


@pytest.mark.parametrize("host", ["example.com", "example.co.uk", "me.github.io", "127.0.0.1", "::1", "", "1.2.3.4."])
def test_not_public_suffixes(host: str) -> None:
    """A registered name is somebody's; an address is not a name."""
    assert not is_public_suffix(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("1.2.3.4.", True), ("1.example", False), ("a1", False), ("0x7f", False)],
)
def test_addresses(host: str, expected: bool) -> None:
    """A host whose last label is a number is an address, as in URLs."""
    assert expected == is_address(host)


def test_sites() -> None:
    """A site is a registrable domain with a scheme; what has none is a site of its own."""
    assert "example.co.uk" == site("a.b.example.co.uk")
    assert "localhost" == site("localhost")
    assert "10.0.0.1" == site("10.0.0.1")
    assert same_site("https", "a.example.com", "https", "b.example.com")
    assert not same_site("http", "example.com", "https", "example.com")
    assert not same_site("https", "a.github.io", "https", "b.github.io")


def test_the_list_is_loaded_late() -> None:
    """Importing the jar and receiving a plain cookie reads no list."""
    code = (
        "import sys; from crawlkit.sessions.cookies import CookieJar; jar = CookieJar();"
        "assert jar.receive('https://www.example.com/', ['a=b; Path=/; Secure']);"
        "assert 'publicsuffixlist' not in sys.modules;"
        "assert jar.receive('https://www.example.com/', ['a=b; Domain=example.com']);"
        "assert 'publicsuffixlist' in sys.modules"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
