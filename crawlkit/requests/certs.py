"""requests.certs: where the certificates are that are trusted by default."""

from certifi import where

__all__ = ["where"]

if __name__ == "__main__":
    print(where())
