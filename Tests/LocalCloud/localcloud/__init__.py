"""The parts of AWS that StackCert touches, on one machine: loopback only, permissions enforced, everything recorded."""

from localcloud.cloud import LocalCloud

__all__ = ["LocalCloud"]
