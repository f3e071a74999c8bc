"""The one border at which errors of sockets, TLS and urllib3 become crawlkit's.

What belongs here: one function, and the words. Every message names the method and URL (without user name and password),
what happened, and where there is something to do, what. What does not: deciding whether to try again (retry.py).
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from urllib3 import exceptions as foreign
from urllib3.util.ssl_match_hostname import CertificateError

from crawlkit import exceptions as errors
from crawlkit.sessions.channel import Gone, Unsendable
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.wire import TunnelRefused

if TYPE_CHECKING:
    from crawlkit.sessions.routes import Key

CONNECT = "connect"
SEND = "send"
HEAD = "head"
BODY = "body"

# What is translated here. Anything else that comes out of an exchange is a fault of the program, and shown as it is.
FOREIGN = (OSError, foreign.HTTPError, TunnelRefused, CertificateError)


def border(
    error: BaseException, request: Any, *, phase: str, key: Key | None = None, late: bool = False
) -> BaseException:
    """What to raise in place of `error`, its cause set: ours for what is foreign, and what is not just as it is."""
    if isinstance(error, Unsendable) and error.__cause__ is not None:
        # What the body's own code raised is the program's business, but for what we say about its length.
        error = error.__cause__
        if not isinstance(error, errors.RequestException):
            return error
    elif not isinstance(error, FOREIGN):
        return error  # a fault of the program, or an interrupt
    outcome = explained(error, request, phase=phase, key=key, late=late)
    if outcome is not error:
        outcome.__cause__ = error
    return outcome


def explained(
    error: BaseException, request: Any, *, phase: str, key: Key | None = None, late: bool = False
) -> errors.RequestException:
    """Our exception for `error`, which came up while `request` was in `phase`. `late`: its deadline had passed."""
    where = f"{request.method} {shown(request.url)}"
    if isinstance(error, errors.RequestException):
        return _named(error, where, request)
    for inner in _chain(error):
        found = _translate(inner, where, phase, key, late)
        if found is not None:
            found.request = request
            if phase == CONNECT and isinstance(found, errors.ConnectionError):
                found.unsent = True
            return found
    return errors.ConnectionError(f"{where}: {error or type(error).__name__}", request=request)


def _named(error: errors.RequestException, where: str, request: Any) -> errors.RequestException:
    """The same error with the request in it; the message gets the URL once."""
    message = str(error)
    if isinstance(error, (errors.NameNotFound, errors.PoolTimeout)):
        error.unsent = True
    if where not in message:
        error.args = (f"{where}: {message}",)
    if error.request is None:
        error.request = request
    return error


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it wraps, innermost first: urllib3 wraps an error in an error in an error."""
    chain: list[BaseException] = []
    todo: list[Any] = [error]
    while todo and len(chain) < 10:
        current = todo.pop()
        if not isinstance(current, BaseException) or current in chain:
            continue
        chain.append(current)
        todo += [current.__cause__, *current.args]
        if isinstance(current, foreign.HTTPError) or type(current).__module__ == "socks":
            todo.append(current.__context__)  # these two do not always say `from`
    return chain[::-1]


def _translate(
    error: BaseException, where: str, phase: str, key: Key | None, late: bool
) -> errors.RequestException | None:
    if isinstance(error, (TimeoutError, foreign.TimeoutError)) and not isinstance(error, foreign.NewConnectionError):
        return _timeout(where, phase, late)
    if isinstance(error, TunnelRefused):
        return _refused(error, where, key)
    if isinstance(error, (ssl.SSLError, CertificateError, foreign.SSLError)):
        return _tls(error, where, phase)
    if isinstance(error, socket.gaierror):
        return errors.ConnectionError(f"{where}: the host name could not be looked up now ({error.strerror or error})")
    if isinstance(error, foreign.DecodeError):
        return errors.ContentDecodingError(f"{where}: {error}")
    if isinstance(error, Gone) and phase != CONNECT:
        return errors.ConnectionError(f"{where}: the server closed the connection without an answer")
    if isinstance(error, OSError):
        return _broken(error, where, phase, key)
    return None


def _timeout(where: str, phase: str, late: bool) -> errors.RequestException:
    if late:
        return errors.DeadlineExceeded(f"{where}: not finished by its deadline; the connection was closed")
    if phase == CONNECT:
        return errors.ConnectTimeout(f"{where}: no connection within the connect timeout")
    if phase == SEND:
        return errors.ReadTimeout(f"{where}: the server took nothing more of the request within the read timeout")
    if phase == BODY:
        return errors.BodyTimeout(f"{where}: the server fell silent within the body for as long as the read timeout")
    return errors.ReadTimeout(f"{where}: the server sent nothing within the read timeout")


def _refused(error: TunnelRefused, where: str, key: Key | None) -> errors.RequestException:
    proxy = key.proxy.shown if key is not None and key.proxy is not None else "the proxy"
    hint = "; put user and password into the proxy's URL" if error.status == 407 else ""
    refused = errors.ProxyError(f"{where}: {proxy} refused the tunnel: {error}{hint}")
    refused.status = error.status
    return refused


def _tls(error: BaseException, where: str, phase: str) -> errors.RequestException:
    if phase == BODY and isinstance(error, ssl.SSLEOFError):
        return errors.ChunkedEncodingError(f"{where}: the connection broke within the body: {error}")
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"the certificate is not trusted: {error.verify_message or error}"
    else:
        # An SSLError with one argument shows it as a tuple.
        said = error.args[0] if len(error.args) == 1 else error
        what = f"TLS failed: {getattr(error, 'reason', None) or said}"
    return errors.SSLError(f"{where}: {what}")


def _broken(error: OSError, where: str, phase: str, key: Key | None) -> errors.RequestException:
    what = error.strerror or str(error) or type(error).__name__
    if phase == BODY:
        return errors.ChunkedEncodingError(f"{where}: the connection broke within the body: {what}")
    if phase == CONNECT and key is not None and key.proxy is not None:
        return errors.ProxyError(f"{where}: no connection through {key.proxy.shown}: {what}")
    if phase == CONNECT:
        return errors.ConnectionError(f"{where}: no connection to {key.netloc if key else 'the server'}: {what}")
    return errors.ConnectionError(f"{where}: the connection broke before the answer: {what}")
