"""What a package says about itself."""

from __future__ import annotations

import json

import pytest

from crawlkit.archive.datapackage import About, Resource, described, digested, read_resources, sha256

RESOURCES = [Resource("archive/Data-00000.warc.gz", 3, sha256(b"abc"))]


def test_a_package_names_every_file_with_size_and_digest() -> None:
    said = json.loads(described(About(title="Forum", created="2026-11-20T18:51:13Z"), RESOURCES))
    assert ("data-package", "1.1.1", "Forum") == (said["profile"], said["wacz_version"], said["title"])
    assert [
        {
            "name": "data-00000.warc.gz",
            "path": "archive/Data-00000.warc.gz",
            "hash": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "bytes": 3,
        }
    ] == said["resources"]
    assert "mainPageUrl" not in said


def test_the_page_to_open_first_is_named() -> None:
    about = About(title="Forum", main_page="https://example.org/", main_page_date="2026-11-20T18:51:13Z")
    said = json.loads(described(about, RESOURCES))
    assert ("https://example.org/", "2026-11-20T18:51:13Z") == (said["mainPageUrl"], said["mainPageDate"])


def test_kept_secrets_are_said_loudly() -> None:
    """In the description, which every reader shows, and not in a member of our own alone."""
    kept = json.loads(described(About(title="Mine", description="All of it.", redacted=False), RESOURCES))
    assert kept["description"].startswith("SECRETS WERE KEPT") and kept["description"].endswith("All of it.")
    assert not kept["redaction"]["applied"]
    replaced = json.loads(described(About(title="Mine", description="All of it."), RESOURCES))
    assert "All of it." == replaced["description"] and replaced["redaction"]["applied"]


def test_what_else_is_known_stands_beside_it() -> None:
    said = json.loads(described(About(title="x", more={"crawl": {"pages": 40}}), RESOURCES))
    assert {"pages": 40} == said["crawl"]


def test_the_digest_is_of_the_bytes_of_the_description() -> None:
    package = described(About(title="Forum"), RESOURCES)
    assert {"path": "datapackage.json", "hash": sha256(package)} == json.loads(digested(package))


def test_a_description_is_read_back() -> None:
    said, resources = read_resources(described(About(title="Forum"), RESOURCES))
    assert ("Forum", RESOURCES) == (said["title"], resources)


@pytest.mark.parametrize("package", [b"", b"[]", b"{}", b'{"resources": [1]}', b'{"resources": [{"path": "x"}]}'])
def test_what_is_no_description_is_refused(package: bytes) -> None:
    with pytest.raises(ValueError):
        read_resources(package)
