"""A certificate authority that speaks ACME: Debian's pebble, and all that it asks before it issues."""

from localcloud.acme.authority import CertificateAuthority
from localcloud.acme.pebble import Settings

__all__ = ["CertificateAuthority", "Settings"]
