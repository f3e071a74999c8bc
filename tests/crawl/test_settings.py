"""Settings: layers, kinds, Scrapy's names, and errors that name key and neighbour."""

from __future__ import annotations

import re
import tomllib
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.crawl.quantities import duration_text, parse_duration, parse_size, size_text, span_text
from crawlkit.crawl.settings import Override, Settings, parse_override, resolve_settings
from crawlkit.crawl.settings_file import ConfigFile, find_config
from crawlkit.crawl.settings_sections import SECTIONS, JobSettings, ProfileSettings
from crawlkit.exceptions import ConfigError


def config(text: str, folder: Path = Path("/project")) -> ConfigFile:
    return ConfigFile(folder=folder, path=folder / "crawl.toml", tables=tomllib.loads(text))


def refused(match: str, *args: object, **kwargs: object) -> None:
    with pytest.raises(ConfigError, match=match):
        resolve_settings(*args, **kwargs)  # type: ignore[arg-type]


def test_defaults_are_those_of_the_documented_table() -> None:
    """Without any layer each key has its default."""
    settings = resolve_settings()
    assert 16 == settings.crawl.workers
    assert settings.crawl.per_host is None
    assert settings.crawl.delay is None
    assert 10 * 1024 * 1024 == settings.crawl.max_html
    assert (10.0, 30.0, 60.0, 3) == (
        settings.fetch.connect_timeout,
        settings.fetch.timeout,
        settings.fetch.deadline,
        settings.fetch.retries,
    )
    assert (408, 429, 500, 502, 503, 504, 520, 521, 522, 524) == settings.fetch.retry_statuses
    assert 64 * 1024 * 1024 == settings.fetch.max_body
    assert re.fullmatch(r"crawlkit/[\d.]+ \(\+https?://.*\)", settings.fetch.user_agent)
    assert settings.fetch.allow_private is None
    assert "data" == settings.store.dir
    assert Settings().crawl == settings.crawl


def test_layers_win_in_order() -> None:
    """Command line over custom_settings over [spiders.NAME] over toml over defaults."""
    file = config("[crawl]\nworkers = 2\nmax_depth = 2\nmax_pages = 2\nrobots = false\n[spiders.a.crawl]\nworkers = 3\n"
                  "max_depth = 3\nmax_pages = 3\n")  # fmt: skip
    custom = {"crawl": {"workers": 4, "max_depth": 4}}
    settings = resolve_settings(file, spider="a", custom=custom, overrides=[Override("crawl.workers", 5, "--workers")])
    assert (5, 4, 3, False, True) == (
        settings.crawl.workers,
        settings.crawl.max_depth,
        settings.crawl.max_pages,
        settings.crawl.robots,
        settings.crawl.adaptive,
    )
    assert 2 == resolve_settings(file, spider="b").crawl.workers


def test_tables_of_layers_are_united() -> None:
    """Headers of two layers are both sent; a name that differs in case is the same; None leaves one out."""
    file = config('[fetch.headers]\nAccept-Language = "de"\nX-A = "1"\nX-B = "2"\n')
    settings = resolve_settings(file, custom={"fetch": {"headers": {"x-a": "3", "X-B": None}}})
    assert {"Accept-Language": "de", "x-a": "3"} == dict(settings.fetch.headers)


def test_settings_are_frozen() -> None:
    """Nothing changes after resolving, tables included."""
    settings = resolve_settings(config('[fetch.headers]\nX-A = "1"\n'))
    with pytest.raises(FrozenInstanceError):
        settings.crawl.workers = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.fetch.headers["X-B"] = "2"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[crawl]\nworker = 3", r"crawl\.toml: \[crawl\] has no key 'worker'; did you mean 'workers'\?"),
        ("[crwal]\nworkers = 3", r"no section 'crwal'; did you mean 'crawl'\?"),
        ("[fetch]\nretrys = 3", "did you mean 'retries'"),
        ("[spiders.a.crawl]\nworker = 3", r"\[spiders\.a\.crawl\] has no key 'worker'; did you mean 'workers'\?"),
        ("[spiders.a]\nshedule = ''", "'spiders.a.shedule'; did you mean 'schedule'"),
        ("[profiles.me]\nuser = 'X'", r"\[profiles\.me\] has no key 'user'; did you mean 'username'"),
        ("crawl = 3", r"\[crawl\] must be a table"),
        ("[crawl]\nworkers = 0", r"crawl\.workers must be a whole number from 1 to 1000, not 0"),
        ("[crawl]\nworkers = true", r"crawl\.workers must be a whole number .*, not true"),
        ("[crawl]\nworkers = '4'", r"crawl\.workers must be"),
        ("[crawl]\nrobots = 'no'", r"crawl\.robots must be true or false, not 'no'"),
        ("[crawl]\nmax_time = '5 parsecs'", r"crawl\.max_time must be a duration"),
        ("[crawl]\nmax_time = 0", r"crawl\.max_time must be a duration above 0"),
        ("[crawl]\nhandle_status = 404", r"crawl\.handle_status must be a list of HTTP status codes"),
        ("[crawl]\nhandle_status = [40]", r"crawl\.handle_status must be a list"),
        ("[fetch]\nmax_body = '64 MegaByte'", r"fetch\.max_body must be a size"),
        ('[fetch.headers]\n"X A" = "1"', r"fetch\.headers must be a table of header names"),
        ("[run]\nlog_format = 'xml'", r'run\.log_format must be one of "text", "json", not \'xml\''),
        ("[archive]\nscope = 'all'", r"archive\.scope must be one of"),
        ("[spiders.'A B'.crawl]\nworkers = 1", r"a name is lower-case letters"),
    ],
)
def test_mistakes_in_the_file_are_named(text: str, match: str) -> None:
    """Each error names the file, the key and what would be right."""
    refused(match, config(text))


@pytest.mark.parametrize(
    "text",
    [
        "[profiles.me]\npassword = 'hunter2!'",
        "[archive]\nsecrets = ['hunter2!']",
        "[fetch]\nproxies = ['me:hunter2!@proxy']",
        "[fetch.headers]\nAuthorization = ['hunter2!']",
    ],
)
def test_a_secret_written_by_mistake_is_not_repeated(text: str) -> None:
    """Where a secret may have been written, the error does not quote the value."""
    with pytest.raises(ConfigError) as caught:
        resolve_settings(config(text))
    assert "hunter2" not in str(caught.value)


def test_other_spiders_tables_are_checked_too() -> None:
    """A mistake is told even when another spider runs, before its own night comes."""
    refused("did you mean 'workers'", config("[spiders.b.crawl]\nworker = 1"), spider="a")


def test_keys_of_later_features_are_read() -> None:
    """login, archive, schedule and expect are accepted and typed."""
    settings = resolve_settings(
        config(
            "[login]\ncanary = 'https://example.org/me'\n[archive]\nmax_size = '1GiB'\n"
            "[spiders.a]\nschedule = '0 6 * * *'\nexpect = {min_items = 3}\n[profiles.me]\nusername = 'ME_USER'\n"
        ),
        spider="a",
    )
    assert "https://example.org/me" == settings.login.canary
    assert 2**30 == settings.archive.max_size
    assert "0 6 * * *" == settings.job.schedule
    assert {"min_items": 3} == dict(settings.job.expect)
    assert "ME_USER" == settings.profiles["me"].username


def test_a_canary_is_a_whole_url() -> None:
    """A path alone would be asked for in vain for as long as the spider lives."""
    refused(
        'login.canary must be a URL with its scheme such as "https://example.org/account"',
        config("[login]\ncanary = '/me'"),
    )
    assert None is resolve_settings(config("[login]\ncanary = 'none'")).login.canary


def test_scrapys_names_are_understood() -> None:
    """custom_settings of a ported spider mean what they meant; crawlkit's own keys beside them count more."""
    settings = resolve_settings(
        custom={
            "DOWNLOAD_DELAY": 1.5,
            "CONCURRENT_REQUESTS": 8,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
            "USER_AGENT": "me",
            "ROBOTSTXT_OBEY": False,
            "DEPTH_LIMIT": 0,
            "RETRY_TIMES": 7,
            "RETRY_HTTP_CODES": [500],
            "DOWNLOAD_TIMEOUT": 90,
            "DEFAULT_REQUEST_HEADERS": {"Accept-Language": "de"},
            "CLOSESPIDER_PAGECOUNT": 10,
            "CLOSESPIDER_TIMEOUT": 60,
            "HTTPERROR_ALLOWED_CODES": [404],
            "LOG_LEVEL": "WARNING",
            "COOKIES_ENABLED": True,
            "BOT_NAME": "shop",
            "crawl": {"workers": 3},
        }
    )
    assert (1.5, 3, 4, False, None, 10, 60.0, (404,)) == (
        settings.crawl.delay,
        settings.crawl.workers,
        settings.crawl.per_host,
        settings.crawl.robots,
        settings.crawl.max_depth,
        settings.crawl.max_pages,
        settings.crawl.max_time,
        settings.crawl.handle_status,
    )
    assert (7, (500,), 90.0, 90.0, "me") == (
        settings.fetch.retries,
        settings.fetch.retry_statuses,
        settings.fetch.timeout,
        settings.fetch.deadline,
        settings.fetch.user_agent,
    )
    assert "warning" == settings.run.log_level
    assert () == settings.warnings


def test_an_unsupported_scrapy_setting_warns_by_name() -> None:
    """What is lost is said, with another way where there is one."""
    warnings = resolve_settings(custom={"ITEM_PIPELINES": {}, "COOKIES_ENABLED": False, "FOO_BAR": 1}).warnings
    assert 3 == len(warnings)
    assert "ITEM_PIPELINES is ignored: write process_item" in warnings[0]
    assert "COOKIES_ENABLED" in warnings[1]
    assert "FOO_BAR is ignored" in warnings[2]


def test_mistakes_in_custom_settings_are_errors() -> None:
    """Our own keys are checked there as in the file, Scrapy's by the name that was written."""
    refused(r"custom_settings: \[crawl\] has no key 'worker'", custom={"crawl": {"worker": 1}})
    refused(r"custom_settings: there is no section 'crawler'", custom={"crawler": {}})
    refused(r"custom_settings: DOWNLOAD_DELAY must be a duration", custom={"DOWNLOAD_DELAY": "often"})


@pytest.mark.parametrize(
    ("text", "section", "key", "expected"),
    [
        ("crawl.workers=4", "crawl", "workers", 4),
        ("crawl.max_time=5m", "crawl", "max_time", 300.0),
        ("crawl.max_depth=none", "crawl", "max_depth", None),
        ("crawl.per_host=auto", "crawl", "per_host", None),
        ("crawl.robots=false", "crawl", "robots", False),
        ("crawl.handle_status=[404, 410]", "crawl", "handle_status", (404, 410)),
        ("fetch.user_agent=2000", "fetch", "user_agent", "2000"),
        ("fetch.max_body=1MiB", "fetch", "max_body", 1024 * 1024),
        ("fetch.headers.X-A=b c", "fetch", "headers", {"X-A": "b c"}),
        ("store.dir=elsewhere", "store", "dir", "elsewhere"),
    ],
)
def test_set_reads_a_value_as_its_key_needs_it(text: str, section: str, key: str, expected: object) -> None:
    """--set takes TOML where it is TOML and text where it is not."""
    settings = resolve_settings(overrides=[parse_override(text)])
    assert expected == getattr(getattr(settings, section), key)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("crawl.workers", "write it as section.key=value"),
        ("workers=3", "write it as section.key=value"),
        ("crawl.worker=3", r"--set crawl\.worker: \[crawl\] has no key 'worker'; did you mean"),
        ("crawl.workers=many", r"--set crawl\.workers must be a whole number"),
    ],
)
def test_mistakes_of_set_are_named(text: str, match: str) -> None:
    """Errors of the command line name the option."""
    with pytest.raises(ConfigError, match=match):
        resolve_settings(overrides=[parse_override(text)])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("passwordPW1", "^--set: write it as section.key=value"),
        ("api_key PW1", "^--set: write it as section.key=value"),
        ("profiles.shop.password=PW1!", r"^--set profiles\.shop\.password must be the name of an environment variable"),
        ('profiles.shop.headers.X-Key=["PW1"]', r"^--set profiles\.shop\.headers\.X-Key must be"),
    ],
)
def test_mistakes_of_set_do_not_show_a_secret(text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match) as caught:
        resolve_settings(overrides=[parse_override(text)])
    assert "PW1" not in str(caught.value)


def test_the_file_is_found_upward(tmp_path: Path) -> None:
    """The nearest crawl.toml above the spider's folder counts, and relative paths start at it."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "crawl.toml").write_text('[store]\ndir = "elsewhere"\n')
    found = find_config(folder)
    assert tmp_path.resolve() / "crawl.toml" == found.path
    settings = resolve_settings(found)
    assert tmp_path.resolve() / "elsewhere" / "x.db" == settings.database("x")
    assert tmp_path.resolve() / "elsewhere" / "sessions.db" == settings.vault


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    """TOML that cannot be read says where."""
    (tmp_path / "crawl.toml").write_text("[crawl]\nworkers = \n")
    with pytest.raises(ConfigError, match=r"crawl\.toml: not valid TOML: .*line 2"):
        find_config(tmp_path)


def test_the_commented_example_has_every_key_with_its_default() -> None:
    """crawl.toml of the repository, with its comments taken off, resolves to the defaults and leaves no key out."""
    lines = Path(__file__).parents[2].joinpath("crawl.toml").read_text().splitlines()
    entries = [re.sub(r"^# (?=[a-z_]+ = |\[)", "", line) for line in lines]
    tables = tomllib.loads("\n".join(line for line in entries if not line.startswith("#")).replace("VERSION", "0"))
    for section, kind in {**SECTIONS, "profiles.forum-member": ProfileSettings, "spiders.docs": JobSettings}.items():
        table = tables
        for part in section.split("."):
            table = table[part]
        assert {entry.name for entry in fields(kind)} <= set(table), section
    for name in SECTIONS:
        example = resolve_settings(ConfigFile(Path.cwd(), None, {name: tables[name]}))
        for entry in fields(SECTIONS[name]):
            if entry.name != "user_agent":
                expected = getattr(getattr(Settings(), name), entry.name)
                assert expected == getattr(getattr(example, name), entry.name), entry.name


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(30, 30.0), (0.5, 0.5), ("30", 30.0), ("30s", 30.0), ("5m", 300.0), ("1h30m", 5400.0), ("1h 30m", 5400.0),
     ("2d", 172800.0), ("500ms", 0.5), ("1.5h", 5400.0)],
)  # fmt: skip
def test_durations_are_read(value: object, seconds: float) -> None:
    """Seconds and the usual units, together and alone."""
    assert seconds == parse_duration(value)


@pytest.mark.parametrize(
    "value", ["", "m", "5x", "5m5m", "-5s", -1, True, None, float("nan"), float("inf"), "5 m x", []]
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"duration"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("value", "size"),
    [(5, 5), ("5", 5), ("64MiB", 67108864), ("64 MiB", 67108864), ("1.5kib", 1536), ("2MB", 2000000), ("1G", 2**30)],
)
def test_sizes_are_read(value: object, size: int) -> None:
    """Bytes, and binary and decimal units in any case."""
    assert size == parse_size(value)


@pytest.mark.parametrize("value", ["", "MiB", "5 elephants", -1, 1.5, True, None, "-5MiB"])
def test_what_is_no_size_is_refused(value: object) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"size"):
        parse_size(value)


@given(st.floats(min_value=0, max_value=10**8))
def test_durations_are_told_briefly(seconds: float) -> None:
    """Any duration is a short text with a unit."""
    assert re.fullmatch(r"\d+\.\d s|\d+ s|\d+ min \d\d s|\d+ h \d\d min|\d+ d \d+ h", duration_text(seconds))


def test_texts_of_quantities() -> None:
    """What a person reads in a summary."""
    assert ["0.9 s", "42 s", "3 min 20 s", "2 h 05 min", "1 d 3 h"] == [
        duration_text(seconds) for seconds in (0.94, 42, 200, 7500, 97200)
    ]
    assert ["812 B", "48.0 KiB", "1.5 MiB", "2.0 GiB", "3.0 TiB"] == [
        size_text(size) for size in (812, 49152, 1572864, 2**31, 3 * 2**40)
    ]


def test_a_misspelt_name_of_scrapys_names_the_nearest() -> None:
    """A real one that means nothing here is not taken for another."""
    warnings = resolve_settings(custom={"DOWNLOAD_DELY": 3, "DOWNLOADER_MIDDLEWARES": {}}).warnings
    assert "custom_settings: DOWNLOAD_DELY is ignored: did you mean DOWNLOAD_DELAY?" in warnings
    assert "custom_settings: DOWNLOADER_MIDDLEWARES is ignored: crawlkit has no such setting" in warnings


def test_certificates_are_looked_for_at_once(tmp_path: Path) -> None:
    """From the folder of the configuration."""
    config = ConfigFile(folder=tmp_path, tables={"fetch": {"verify": "ca.pem"}})
    with pytest.raises(ConfigError, match=r"there is no file .*ca\.pem; it must be true, false or the path"):
        resolve_settings(config)
    (tmp_path / "ca.pem").write_text("")
    assert str(tmp_path / "ca.pem") == resolve_settings(config).fetch.verify


def test_spans_are_told_in_one_unit() -> None:
    """The largest of which there are two."""
    seconds = (-1, 0, 1, 119, 120, 7000, 7260, 47 * 3600, 29.9 * 86400, 800 * 86400)
    assert [
        "0 seconds",
        "0 seconds",
        "1 second",
        "119 seconds",
        "2 minutes",
        "117 minutes",
        "2 hours",
        "47 hours",
        "30 days",
        "2 years",
    ] == [span_text(value) for value in seconds]
