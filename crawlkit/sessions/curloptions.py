"""CurlOptions: the options of a cURL command, told apart from their values and from its URLs.

What belongs here: which options there are (curl 8) and which have a value. What does not: what is made of them
(curlcommand.py), quoting (shellwords.py).

An option that is not known is an error: whether the word after it is its value, perhaps a secret, or the URL could only
be guessed. Errors name it and show nothing of what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Short options with a value, which may follow in the same word: -H"Name: value"; and those without.
_SHORT_WITH_VALUE = frozenset("ACDEFHKPQTUXYbcdemortuwxyz")
_SHORT = frozenset("#012346:BGIJLMNORSVZafgijklnpqsvh")
_LONG_OF = {"A": "user-agent", "b": "cookie", "H": "header", "u": "user", "e": "referer"}

_LONG_WITH_VALUE = frozenset(
    """
    abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout
    connect-to continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary
    data-raw data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header
    ech egd-file engine etag-compare etag-save expect100-timeout form form-string ftp-account
    ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip
    header hostpubmd5 hostpubsha256 hsts interface ip-tos ipfs-gateway json keepalive-cnt keepalive-time key
    key-type knownhosts krb libcurl limit-rate local-port login-options mail-auth mail-from mail-rcpt
    max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir parallel-max
    parallel-max-host pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-capath
    proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass
    proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser
    proxy-user proxy1.0 pubkey quote random-file range rate referer request request-target resolve retry
    retry-delay retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service
    socks5-hostname speed-limit speed-time ssl-sessions stderr telnet-option tftp-blksize time-cond tls-max
    tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket upload-file
    upload-flags url url-query user user-agent variable vlan-priority write-out
    """.split()  # noqa: SIM905 - one a line would hide the rest of the file
)
#: Each of these may have `no-` before it.
_LONG = frozenset(
    """
    alpn anyauth append basic buffer ca-native cert-status clobber compressed compressed-ssh create-dirs crlf
    digest disable disable-eprt disable-epsv disallow-username-in-url doh-cert-status doh-insecure dump-ca-embed
    environment eprt epsv fail fail-early fail-with-body false-start follow form-escape ftp-create-dirs ftp-pasv
    ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control get globoff haproxy-protocol head help http0.9 http1.0
    http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length include insecure ipv4 ipv6
    junk-session-cookies keepalive list-only location location-trusted mail-rcpt-allowfails manual metalink
    mptcp negotiate netrc netrc-optional next npn ntlm ntlm-wb out-null parallel parallel-immediate path-as-is
    post301 post302 post303 progress-bar progress-meter proxy-anyauth proxy-basic proxy-ca-native proxy-digest
    proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert
    proxy-tlsv1 proxytunnel raw remote-header-name remote-name remote-name-all remote-time remove-on-error
    retry-all-errors retry-connrefused sasl-ir sessionid show-error silent skip-existing socks5-basic
    socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd
    ssl-revoke-best-effort sslv2 sslv3 styled-output suppress-connect-headers tcp-fastopen tcp-nodelay
    tftp-no-options tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids trace-time
    use-ascii verbose version xattr
    """.split()  # noqa: SIM905 - one a line would hide the rest of the file
)
_NAME = re.compile(r"--?[\w.#:-]{0,40}")


def options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Long names of options with their values, of those that have one; a word that is no option is a `url`.

    ValueError names an option that is not known, or that lacks its value.
    """
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield from (("url", left) for left in rest)
        elif word.startswith("--"):
            if word[2:] in _LONG_WITH_VALUE:
                yield word[2:], _next(rest, word)
            elif word[2:].removeprefix("no-") not in _LONG:
                raise _unknown(word)
        elif word.startswith("-") and len(word) > 1:
            yield from _of_letters(word, rest)
        else:
            yield "url", word


def _of_letters(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    for at, letter in enumerate(word[1:], start=2):
        if letter in _SHORT_WITH_VALUE:
            yield _LONG_OF.get(letter, letter), word[at:] or _next(rest, f"-{letter}")
            return
        if letter not in _SHORT:
            raise _unknown(f"-{letter}")


def _next(rest: Iterator[str], option: str) -> str:
    value = next(rest, None)
    if value is None:
        raise ValueError(f"{option} has no value; was the command copied whole?")
    return value


def _unknown(word: str) -> ValueError:
    name, equals, _ = word.partition("=")
    if equals and name[2:] in _LONG_WITH_VALUE:
        return ValueError(f"{name}: curl has the value after a space, not after =")
    named = _NAME.match(name)
    return ValueError(
        f"{named[0] if named else '-'} is no option of curl that is known here; take it out, with its value if it has one"
    )
