"""What the provider is asked to issue: 40 fixed cases, and the product of all that can be combined."""

from __future__ import annotations

import itertools

from judges.document import Case

ALGORITHMS = ("EC_P256", "EC_P384", "RSA_2048", "RSA_3072", "RSA_4096")
DAY = 86400
# 2050-01-01T00:00:00Z. Dates before it are written as UTCTime, from then on as GeneralizedTime (RFC 5280, 4.1.2.5).
BORDER = 2_524_608_000


def domain(length: int) -> str:
    """A domain of so many characters, with labels of 63 characters where there is room for them."""
    labels = [63] * (length // 64)
    if rest := length - sum(labels) - len(labels):
        labels.append(rest)
    else:
        # The last label would be empty: the one before it gives up a character for it.
        labels[-1:] = [62, 1]
    return ".".join("abcd"[index % 4] * size for index, size in enumerate(labels))


LENGTHS = (1, 2, 61, 62, 63, 64, 65, 127, 128, 192, 250, 251, 252, 253)
INTERNATIONAL = ("bücher.example", "例え.テスト")
ADDRESSES = {
    "ipv4": ("192.0.2.7", "255.255.255.255"),
    "ipv6": ("2001:db8::1", "::1"),
    "mapped": ("::ffff:10.1.2.3",),
    "addresses": ("10.1.2.3", "::ffff:10.1.2.3", "::", "www.example.org"),
}
DATES = {
    "last-second-before-2050": Case("", None, now=BORDER - 1 - 30 * DAY, days=30),
    "first-second-of-2050": Case("", None, now=BORDER - 30 * DAY, days=30),
    "begins-before-2050": Case("", None, now=BORDER + 3599, days=30),
    "begins-in-2050": Case("", None, now=BORDER + 3600, days=30),
    "ten-years-over-2050": Case("", None, now=BORDER - DAY, days=3650),
    "ten-years-after-2050": Case("", None, now=BORDER + 365 * DAY, days=3650),
}


def hosts(count: int) -> tuple[str, ...]:
    return tuple(f"host-{number}.example.org" for number in range(count))


def fixed() -> list[Case]:
    return [
        *(Case(f"key-{algorithm}", "example.com", algorithm=algorithm) for algorithm in ALGORITHMS),
        *(Case(f"length-{length}", domain(length)) for length in LENGTHS),
        *(Case(f"international-{number}", name) for number, name in enumerate(INTERNATIONAL)),
        # With the domain and its wildcard: 10 and 100 names.
        *(Case(f"names-{count + 2}", "example.com", hosts(count)) for count in (8, 98)),
        Case("names-100-long", domain(253), hosts(99), "RSA_2048"),
        *(Case(name, "example.com", addresses) for name, addresses in ADDRESSES.items()),
        *(Case(name, "example.com", now=date.now, days=date.days) for name, date in DATES.items()),
        *(Case(f"request-{algorithm}", None, hosts(2), algorithm) for algorithm in ALGORITHMS[:3]),
        Case("request-length-1", None, ("a",)),
        Case("request-length-253", None, (domain(253),)),
        Case("request-names-100", None, hosts(100)),
    ]


def product() -> list[Case]:
    """Every key with every kind of domain, every set of further names, at every date; and the requests."""
    domains = [*map(domain, (1, 62, 63, 64, 65, 251, 253)), INTERNATIONAL[0]]
    further = [(), ADDRESSES["addresses"], hosts(98)]
    dates = [Case("", None), DATES["begins-before-2050"], DATES["ten-years-over-2050"]]
    certificates = itertools.product(ALGORITHMS, domains, further, dates)
    # The properties of Custom::LetsEncryptCertificate refuse mapped addresses.
    requests = itertools.product(ALGORITHMS, [*((name,) for name in domains), ADDRESSES["ipv6"], hosts(98)])
    return [
        *(
            Case(f"certificate-{number}", name, names, algorithm, date.now, date.days)
            for number, (algorithm, name, names, date) in enumerate(certificates)
        ),
        *(Case(f"request-{number}", None, names, algorithm) for number, (algorithm, names) in enumerate(requests)),
    ]
