"""TLS contexts: one for each way of verifying and each client certificate, made once.

What belongs here: turning `verify` and `cert` into an SSLContext, and saying helpfully which file is missing. What does
not: the handshake and the check of the host name, which urllib3 does with the context that it gets from here.
"""

from __future__ import annotations

import errno
import os
import ssl
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.ssl_ import create_urllib3_context

Cert = str | tuple[str, str] | None


class TLSSettings(NamedTuple):
    """What makes one TLS connection usable in place of another: part of a connection's key.

    `verify` is True (the system's authorities), False, or the path of a bundle or folder of authorities; `cert` the
    path of a client certificate with its key, or a pair of paths; `context` a context that an adapter brought along.
    """

    verify: bool | str = True
    cert: Cert = None
    context: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"TLSSettings(verify={self.verify!r}, cert={'…' if self.cert else None})"


VERIFIED = TLSSettings()


def settings(verify: object, cert: object, context: ssl.SSLContext | None = None) -> TLSSettings:
    """The settings for the values that requests takes for `verify` and `cert`. Only False itself turns verifying
    off.
    """
    if verify is True and cert is None and context is None:
        return VERIFIED
    if isinstance(verify, ssl.SSLContext):
        context = verify
    chosen: bool | str = True
    if verify is False:
        chosen = False
    elif isinstance(verify, (str, os.PathLike)) and os.fspath(verify):
        chosen = os.fsdecode(verify)
    return TLSSettings(chosen, _cert(cert), context)


def warn_of_unverified(netloc: str, options: tuple[tuple[str, Any], ...]) -> None:
    """Warn of a connection that is about to be opened without verifying; not where a fingerprint is checked instead.

    In urllib3's category, so that what silences urllib3's warnings silences this one. Once for each connection: a
    warning for each request, as urllib3 has it, tells no more and is silenced for that.
    """
    if any(name == "assert_fingerprint" for name, _ in options):
        return
    warnings.warn(
        f"nobody checks the certificate of {netloc} (verify=False): whoever is on the way can read and change "
        "everything; give verify= the file of the authority that signed it",
        InsecureRequestWarning,
        stacklevel=2,
    )


def _cert(cert: Any) -> Cert:
    if not cert:
        return None
    if isinstance(cert, (str, os.PathLike)):
        return os.fsdecode(cert)
    try:
        certificate, key = cert
    except (TypeError, ValueError):
        raise ValueError("cert= must be the path of a file, or a pair of paths (certificate, key)") from None
    return os.fsdecode(certificate) if key is None else (os.fsdecode(certificate), os.fsdecode(key))


# No lock: both operations on it are atomic, and at worst two threads build the same context and one is dropped.
_contexts: dict[object, ssl.SSLContext] = {}


def context_for(tls: TLSSettings) -> ssl.SSLContext:
    """The context for these settings; made when first asked for, and again when a file changed.

    Raises FileNotFoundError (an OSError, as in requests) naming the file and the setting, ssl.SSLError for a file that
    has no certificate in it. May be called from any thread.
    """
    if tls.context is not None and tls.verify is not False:
        return _with_authorities(tls.context)
    named = [path for path in (tls.verify, *_paths(tls.cert)) if isinstance(path, str)]
    key = (tls.verify, tls.cert, *(_version(path, tls) for path in named))
    context = _contexts.get(key)
    if context is None:
        context = _contexts.setdefault(key, _build(tls))
    return context


def _build(tls: TLSSettings) -> ssl.SSLContext:
    if tls.verify is False:
        context = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
    else:
        context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
        if tls.verify is True:
            _load_system(context)
        elif Path(tls.verify).is_dir():
            context.load_verify_locations(capath=tls.verify)
        else:
            context.load_verify_locations(cafile=tls.verify)
    if tls.cert is not None:
        certificate, *key = _paths(tls.cert)
        context.load_cert_chain(certificate, key[0] if key else None, _refuse_password)
    return context


def _load_system(context: ssl.SSLContext) -> None:
    """The system's authorities (SSL_CERT_FILE and SSL_CERT_DIR included); certifi's where a system has none."""
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if context.cert_store_stats()["x509_ca"]:
        return
    paths = ssl.get_default_verify_paths()  # its folder is read by OpenSSL when needed and counts for nothing above
    if paths.capath and any(Path(paths.capath).iterdir()):
        return
    import certifi

    context.load_verify_locations(cafile=certifi.where())


def _with_authorities(context: ssl.SSLContext) -> ssl.SSLContext:
    """An adapter's own context is used as it is; one that verifies and knows no authority gets the system's."""
    if context.verify_mode != ssl.CERT_NONE and not context.cert_store_stats()["x509_ca"]:
        _load_system(context)
    return context


def _refuse_password() -> str:
    # Without this OpenSSL would ask on the terminal, and a cron job would hang.
    raise ssl.SSLError(
        "the client certificate's key (cert=) is encrypted; decrypt it, or mount an adapter with its own ssl_context"
    )


def _paths(cert: Cert) -> tuple[str, ...]:
    if cert is None:
        return ()
    return (cert,) if isinstance(cert, str) else cert


def _version(path: str, tls: TLSSettings) -> tuple[int, int]:
    """What changes when the file is replaced: a renewed certificate is used without a restart."""
    try:
        status = Path(path).stat()
    except OSError as error:
        if path == tls.verify:
            what = "no bundle of certificate authorities there (verify=, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE)"
        else:
            what = "no client certificate or key there (cert=)"
        raise type(error)(error.errno or errno.ENOENT, f"{what}; check the path", path) from None
    return status.st_mtime_ns, status.st_size
