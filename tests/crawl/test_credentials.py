"""Credentials: found in the environment, a file, the keyring or by asking; what is missing is named, nothing is shown."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crawlkit.crawl import credentials as module
from crawlkit.crawl.credentials import Credentials, CredentialSources, Prompt
from crawlkit.crawl.envfile import read_env_file
from crawlkit.crawl.settings import Settings, resolve_settings
from crawlkit.crawl.settings_file import ConfigFile
from crawlkit.exceptions import ConfigError
from crawlkit.sessions.totp import Totp

SECRET = "s3cret-of-mine"


@pytest.fixture(autouse=True)
def no_answers() -> Iterator[None]:
    """What a process was told is its own; each test is one."""
    module._answers.clear()
    yield
    module._answers.clear()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CredentialSources]:
    """Sources of the profile `me` with these keys, this environment and these lines in an env_file."""

    def make(
        profile: Mapping[str, str],
        *,
        environment: Mapping[str, str] | None = None,
        lines: str | None = None,
        prompt: Prompt | None = None,
        learn: Callable[[str], object] | None = None,
    ) -> CredentialSources:
        for name, value in (environment or {}).items():
            monkeypatch.setenv(name, value)
        tables: dict[str, Any] = {"profiles": {"me": dict(profile)}}
        if lines is not None:
            tables["login"] = {"env_file": "secrets.env"}
            (tmp_path / "secrets.env").write_text(lines)
            (tmp_path / "secrets.env").chmod(0o600)
        settings = resolve_settings(ConfigFile(folder=tmp_path, tables=tables))
        assert () == settings.warnings
        return CredentialSources(settings, prompt=prompt, learn=learn)

    return make


NAMES = {"username": "ME_USER", "password": "ME_PASSWORD"}


# --- where they are found ---------------------------------------------------------------------------------------------


def test_the_environment_is_read_when_it_is_asked(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the start: nothing is held that was not wanted."""
    me = sources(NAMES).of("me")
    monkeypatch.setenv("ME_USER", "alice")
    monkeypatch.setenv("ME_PASSWORD", SECRET)
    assert ("alice", SECRET) == (me.username, me.password)


def test_the_environment_wins_over_the_file(sources: Any) -> None:
    me = sources(NAMES, environment={"ME_USER": "from-the-shell"}, lines="ME_USER=a\nME_PASSWORD=from-the-file\n").of(
        "me"
    )
    assert ("from-the-shell", "from-the-file") == (me.username, me.password)


def test_a_spiders_own_profile_table_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "bob")
    tables = {
        "profiles": {"me": {"username": "ME_USER"}},
        "spiders": {"shop": {"profiles": {"me": {"username": "OTHER"}}}},
    }
    settings = resolve_settings(ConfigFile(folder=tmp_path, tables=tables), spider="shop")
    assert "bob" == CredentialSources(settings).of("me").username


def test_every_secret_is_learned(sources: Any) -> None:
    """So that no log line shows it; a user name is none."""
    learned: list[str] = []
    totp = "GEZDGNBVGY3TQOJQ"
    me = sources(
        {**NAMES, "totp": "ME_TOTP"},
        environment={"ME_USER": "alice", "ME_PASSWORD": SECRET, "ME_TOTP": totp},
        learn=learned.append,
    ).of("me")
    _ = me.username, me.password, me.otp()
    assert [SECRET, totp] == learned


def test_secrets_are_confided_before_they_are_used_and_nobody_is_asked(sources: Any) -> None:
    """A session that lasts from an earlier login uses none, and pages may show them all the same."""
    learned: list[str] = []
    asked: list[str] = []
    uri = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=30"

    def prompt(question: str, hidden: bool) -> str:
        asked.append(question)
        return "typed"

    found = sources({**NAMES, "totp": "ME_TOTP"}, lines=f"ME_TOTP={uri}\n", prompt=prompt, learn=learned.append)
    found.confide("me")
    found.confide(None)
    assert ([uri, "GEZDGNBVGY3TQOJQ"], []) == (learned, asked)


def test_a_keyring_that_does_not_answer_stops_nobody_who_needs_nothing_of_it(
    sources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable that comes after it is still told."""
    learned: list[str] = []
    monkeypatch.setitem(sys.modules, "keyring", None)
    environment = {"ME_TOTP": "GEZDGNBVGY3TQOJQ"}
    found = sources({"keyring": "shop", "totp": "ME_TOTP"}, environment=environment, learn=learned.append)
    found.confide("me")
    assert ["GEZDGNBVGY3TQOJQ"] == learned
    with pytest.raises(ConfigError, match="keyring"):
        _ = found.of("me").password


def test_one_time_codes_come_from_the_secret(sources: Any) -> None:
    totp = "JBSWY3DPEHPK3PXP"
    me = sources({"totp": "ME_TOTP"}, environment={"ME_TOTP": f"otpauth://totp/x?secret={totp}&period=3600"}).of("me")
    import time

    expected = {Totp(f"otpauth://totp/x?secret={totp}&period=3600").at(time.time()) for _ in range(2)}
    assert me.otp() in expected


# --- what is missing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "lines", "expected"),
    [
        ({}, None, r"'me' has no password: add password = \"NAME_OF_A_VARIABLE\" to \[profiles.me\]"),
        ({}, "A=1", r"write it into .*secrets\.env"),
        (NAMES, None, "variable ME_PASSWORD is not set"),
        (NAMES, "ME_USER=a", r"ME_PASSWORD is not set, and .*secrets\.env has no line ME_PASSWORD="),
        (NAMES, "ME_PASSWORD=", r"has no line ME_PASSWORD="),
    ],
)
def test_what_is_missing_is_named(sources: Any, profile: Any, lines: str | None, expected: str) -> None:
    me = sources(profile, lines=lines).of("me")
    with pytest.raises(ConfigError, match=expected):
        _ = me.password


def test_a_profile_without_a_table_is_named_too(sources: Any) -> None:
    with pytest.raises(ConfigError, match=r"profile 'other' has no username: add .*\[profiles\.other\]"):
        _ = sources(NAMES).of("other").username


def test_a_totp_secret_that_is_none_is_not_repeated(sources: Any) -> None:
    me = sources({"totp": "ME_TOTP"}, environment={"ME_TOTP": "hunter2!"}).of("me")
    with pytest.raises(ConfigError, match=r"totp of profile 'me': .*base32") as caught:
        me.otp()
    assert "hunter2" not in str(caught.value)


# --- the file ---------------------------------------------------------------------------------------------------------


def written(tmp_path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "some.env"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("export A=plain", "plain"),
        ("  A = spaced  ", "spaced"),
        ("A=with # a comment", "with"),
        ("A=hash#inside", "hash#inside"),
        ("A=#nothing", ""),
        ("A=", ""),
        ("A='single $x \\n' # comment", "single $x \\n"),
        ('A="double \\"q\\" \\$x \\\\ \\n" # comment', 'double "q" $x \\ \n'),
        ('A="# no comment"', "# no comment"),
        ("A=a=b=c", "a=b=c"),
        ("A=$B", "$B"),
        ("A=schlüssel\r", "schlüssel"),
        ("A=first\nA=last", "last"),
        ("\ufeffA=after a mark", "after a mark"),
        ("# A=no\n\nA=yes", "yes"),
    ],
)
def test_lines_are_those_of_a_shell(tmp_path: Path, line: str, value: str) -> None:
    assert {"A": value} == read_env_file(written(tmp_path, f"{line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "hunter2",
        "=hunter2",
        "1A=hunter2",
        "A B=hunter2",
        "A='hunter2",
        'A="hunter2',
        "A='hunter2' x",
        'A="hunter2"x',
        b"A=hunter2\xff",
    ],
)
def test_a_broken_line_is_named_by_its_number_alone(tmp_path: Path, line: str | bytes) -> None:
    line = line if isinstance(line, bytes) else line.encode()
    with pytest.raises(ConfigError, match=r"some\.env, line 3: ") as caught:
        read_env_file(written(tmp_path, b"# one\nB=2\n" + line + b"\nC=3\n"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, "A=1", mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}.*chmod 600 {path}"):
        read_env_file(path)


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "A=1")
    owner = path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(ConfigError, match=r"belongs to another user.*chmod 600"):
        read_env_file(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.env cannot be read: No such file"):
        read_env_file(tmp_path / "nowhere.env")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_env_file(tmp_path)


def test_the_file_is_looked_at_before_anything_begins(tmp_path: Path) -> None:
    """A run must not find out at its first login, an hour later, that the file is missing."""
    settings = resolve_settings(ConfigFile(folder=tmp_path, tables={"login": {"env_file": "gone.env"}}))
    with pytest.raises(ConfigError, match=str(tmp_path / "gone.env")):
        CredentialSources(settings)


# --- the keyring ------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """A keyring of this test: (service, entry) → secret."""
    entries: dict[tuple[str, str], str] = {}
    package, errors = ModuleType("keyring"), ModuleType("keyring.errors")

    class KeyringError(Exception):
        pass

    def get_password(service: str, entry: str) -> str | None:
        if service == "locked":
            raise KeyringError("the collection is locked")
        return entries.get((service, entry))

    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    package.errors = errors  # type: ignore[attr-defined]
    package.get_password = get_password  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", package)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return entries


def test_the_keyring_is_asked_for_what_no_variable_has(sources: Any, keyring: dict[tuple[str, str], str]) -> None:
    keyring.update(
        {("forum", "username"): "stored", ("forum", "password"): SECRET, ("forum", "totp"): "JBSWY3DPEHPK3PXP"}
    )
    me = sources({"keyring": "forum", "username": "ME_USER"}, environment={"ME_USER": "alice"}).of("me")
    assert ("alice", SECRET, 6) == (me.username, me.password, len(me.otp()))


def test_what_the_keyring_lacks_is_named(sources: Any, keyring: dict[tuple[str, str], str]) -> None:
    me = sources({"keyring": "forum", "password": "ME_PASSWORD"}).of("me")
    with pytest.raises(
        ConfigError,
        match=r"ME_PASSWORD is not set, and the keyring has no 'password' of 'forum'.*keyring set forum password",
    ):
        _ = me.password


def test_a_keyring_that_does_not_answer_is_named(sources: Any, keyring: dict[tuple[str, str], str]) -> None:
    with pytest.raises(ConfigError, match=r"the password of profile 'me': .*the collection is locked"):
        _ = sources({"keyring": "locked"}).of("me").password


def test_without_the_extra_the_error_says_what_to_install(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"pip install 'crawlkit\[keyring\]'"):
        _ = sources({"keyring": "forum"}).of("me").password


# --- asking -----------------------------------------------------------------------------------------------------------


class Asked:
    """Somebody at a terminal."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.questions: list[tuple[str, bool]] = []

    def __call__(self, question: str, hidden: bool) -> str:
        self.questions.append((question, hidden))
        return self.answers.pop(0)


def test_who_sits_at_a_terminal_is_asked_once_a_process(sources: Any) -> None:
    """Also when a second spider of the same folder logs in as the same profile; what is found is not asked for."""
    asked = Asked("alice", SECRET)
    learned: list[str] = []
    for _ in range(2):
        me = sources({}, prompt=asked, learn=learned.append).of("me")
        assert ("alice", SECRET) == (me.username, me.password)
    assert [("user name of profile me", False), ("password of profile me", True)] == asked.questions
    assert [SECRET, SECRET] == learned


def test_a_code_is_asked_for_each_time(sources: Any) -> None:
    """It is spent with the login; the secret behind it is never asked for."""
    me = sources({}, prompt=Asked("123456", "654321")).of("me")
    assert ["123456", "654321"] == [me.otp(), me.otp()]


def test_what_is_configured_is_not_asked_for(sources: Any) -> None:
    asked = Asked()
    me = sources(NAMES, environment={"ME_USER": "alice", "ME_PASSWORD": SECRET}, prompt=asked).of("me")
    assert ("alice", SECRET) == (me.username, me.password)
    assert [] == asked.questions


def test_two_threads_ask_one_question_at_a_time(sources: Any) -> None:
    entered, go = threading.Event(), threading.Event()
    questions: list[str] = []

    def prompt(question: str, hidden: bool) -> str:
        questions.append(question)
        entered.set()
        assert go.wait(5)
        return SECRET

    made = sources({}, prompt=prompt)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(made.of("me").password)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert entered.wait(5)
    go.set()
    for thread in threads:
        thread.join(5)
    assert (["password of profile me"], [SECRET] * 4) == (questions, found)


# --- nothing shows ----------------------------------------------------------------------------------------------------


def test_no_object_shows_or_pickles_a_secret(sources: Any) -> None:
    made = sources(NAMES, environment={"ME_USER": "alice"}, lines=f"ME_PASSWORD={SECRET}")
    own = Credentials(made.of("me"))
    assert SECRET == own.password
    for thing in (made, made.of("me"), own):
        slots = [repr(getattr(thing, name)) for name in type(thing).__slots__]
        assert SECRET not in repr(thing) + str(dir(thing)) + "".join(slots)
        with pytest.raises(TypeError, match="do not leave the process"):
            pickle.dumps(thing)


def test_a_thread_reads_the_profile_that_it_logs_in_as(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "alice")
    monkeypatch.setenv("B", "bob")
    tables = {"profiles": {"a": {"username": "A"}, "b": {"username": "B"}}}
    made = CredentialSources(resolve_settings(ConfigFile(folder=tmp_path, tables=tables)))
    own = Credentials(made.of("a"))
    seen: list[str] = []
    with own.of(made.of("b")):
        thread = threading.Thread(target=lambda: seen.append(own.username))
        thread.start()
        thread.join()
        assert ("b", "bob", ["alice"]) == (own.profile, own.username, seen)
    assert ("a", "alice") == (own.profile, own.username)


def test_settings_without_profiles_serve(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="profile 'default' has no password"):
        _ = CredentialSources(Settings(folder=tmp_path)).of(None).password
