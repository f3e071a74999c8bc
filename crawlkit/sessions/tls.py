"""TLS contexts: one for each way of verifying and each client certificate, made once.

What belongs here: turning `verify` and `cert` into an SSLContext, and saying helpfully which file is missing. What does
not: the handshake and the check of the host name, which urllib3 does with the context that it gets from here.
"""

from __future__ import annotations

import errno
import os
import ssl
import warnings
import weakref
from pathlib import Path
from typing import Any, NamedTuple

from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.ssl_ import create_urllib3_context, resolve_ssl_version

Cert = str | tuple[str, str] | None


class TLSSettings(NamedTuple):
    """What makes one TLS connection usable in place of another: part of a connection's key.

    `verify` is True (the system's authorities), False, or the path of a bundle or folder of authorities; `cert` the
    path of a client certificate with its key, or a pair of paths; `context` a context that an adapter brought along;
    `more` what else an adapter asked for, by urllib3's names: `ssl_version`, `ssl_minimum_version`,
    `ssl_maximum_version`, `ca_cert_dir` (beside a bundle), `ca_cert_data`, `key_password`.
    """

    verify: bool | str = True
    cert: Cert = None
    context: ssl.SSLContext | None = None
    more: tuple[tuple[str, Any], ...] = ()

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
    named = [path for path in (tls.verify, *_paths(tls.cert)) if isinstance(path, str)]
    versions = [_version(path, tls) for path in named]
    if tls.context is not None:
        return _with_authorities(tls.context, tls) if tls.verify is not False else _unverified(tls.context)
    key = (tls.verify, tls.cert, tls.more, *versions)
    context = _contexts.get(key)
    if context is None:
        context = _contexts.setdefault(key, _build(tls))
    return context


def _build(tls: TLSSettings) -> ssl.SSLContext:
    more = dict(tls.more)
    context = create_urllib3_context(
        ssl_version=resolve_ssl_version(more["ssl_version"]) if "ssl_version" in more else None,
        ssl_minimum_version=more.get("ssl_minimum_version"),
        ssl_maximum_version=more.get("ssl_maximum_version"),
        cert_reqs=ssl.CERT_NONE if tls.verify is False else ssl.CERT_REQUIRED,
    )
    if tls.verify is not False:
        if authorities := _authorities(tls):
            context.load_verify_locations(**authorities)
        else:
            _load_system(context)
    if tls.cert is not None:
        certificate, *key = _paths(tls.cert)
        context.load_cert_chain(certificate, key[0] if key else None, more.get("key_password") or _refuse_password)
    return context


def _authorities(tls: TLSSettings) -> dict[str, Any]:
    """Where the authorities are that the settings name; nothing for the system's."""
    more = dict(tls.more)
    named = {"cadata": more.get("ca_cert_data"), "capath": more.get("ca_cert_dir")}
    if isinstance(tls.verify, str):
        named["capath" if Path(tls.verify).is_dir() else "cafile"] = tls.verify
    return {name: value for name, value in named.items() if value}


def to_load(tls: TLSSettings) -> dict[str, Any]:
    """What urllib3 has to load into a context that an adapter brought along, as it does for requests."""
    if tls.context is None:
        return {}
    found: dict[str, Any] = {}
    if tls.verify is not False:
        names = {"cadata": "ca_cert_data", "capath": "ca_cert_dir", "cafile": "ca_certs"}
        found = {names[name]: value for name, value in _authorities(tls).items()}
    if tls.cert is not None:
        certificate, *key = _paths(tls.cert)
        found |= {"cert_file": certificate, "key_file": key[0] if key else None}
        found["key_password"] = dict(tls.more).get("key_password")
    return found


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


def _with_authorities(context: ssl.SSLContext, tls: TLSSettings) -> ssl.SSLContext:
    """An adapter's own context is used as it is; one that knows no authority, where none is named, gets the system's."""
    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"ssl_context must be an ssl.SSLContext, not {type(context).__name__}")
    if not context.cert_store_stats()["x509_ca"] and not _authorities(tls):
        _load_system(context)
    return context


# By the context that they stand in for.
_twins: weakref.WeakKeyDictionary[ssl.SSLContext, ssl.SSLContext] = weakref.WeakKeyDictionary()


def _unverified(context: ssl.SSLContext) -> ssl.SSLContext:
    """A context for connections that do not verify: this one, or where it does, another with its versions and ciphers.

    Turning verifying off in the program's own would turn it off for whoever uses it at the same time.
    """
    if context.verify_mode == ssl.CERT_NONE:
        return context
    twin = _twins.get(context)
    if twin is None:
        twin = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
        twin.minimum_version, twin.maximum_version = context.minimum_version, context.maximum_version
        twin.options = context.options
        ciphers = [cipher["name"] for cipher in context.get_ciphers() if not cipher["name"].startswith("TLS_")]
        if ciphers:
            level = getattr(context, "security_level", None)
            twin.set_ciphers(":".join([*ciphers, *([] if level is None else [f"@SECLEVEL={level}"])]))
        _twins[context] = twin
    return twin


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
