"""The claims, in one file per service."""

from importlib import import_module

# In the order of the table and of the README.
_FILES = (
    "s3_conditions",
    "s3_permissions",
    "kms",
    "change_sets",
    "parameters",
    "stacks",
    "imports",
    "load_balancers",
    "servers",
    "rolling",
    "events",
    "certificates",
    "route53",
    "accounts",
    "provider",
)


def load_all() -> None:
    """Registers all claims."""
    for name in _FILES:
        import_module(f"on_aws.probes.{name}")
