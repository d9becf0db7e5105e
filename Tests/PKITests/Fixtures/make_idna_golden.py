#!/usr/bin/env python3
"""Writes idna.json: what the `idna` package (RFC 5891, UTS 46 non-transitional) makes of many names.

    pip install idna==3.13 unicodedata2==17.0.1 && python3 Tests/PKITests/Fixtures/make_idna_golden.py

`idna` takes some of its facts from Python's own Unicode tables, which are older than its own in most Pythons; hence
the second package, of the same Unicode version as Swift 6.3's standard library. Members of the file:

expected    [name, A-labels]: people's real names for things; DomainName must accept each with this result
corpus      [name, A-labels | null | "context"]: seeded; DomainName may refuse more, but must never answer differently.
            "context" is a refusal for direction or context alone, which DomainName does not repeat for xn-- labels
unchanged   [first, last]: code points c for which "q" + c + "q" is valid as it is
mapped      {"code point": text}: code points c for which "q" + c + "q" is valid once c is replaced by the text
"""

import json
import pathlib
import random
import sys

import unicodedata2 as unicodedata

sys.modules["unicodedata"] = unicodedata
import idna  # noqa: E402

NAMES = """
example.com EXAMPLE.Com example.com. localhost a.b.c.d.e 1.example 1a.example xn--mnchen-3ya.example XN--MNCHEN-3YA.example
münchen.example MÜNCHEN.example mu\u0308nchen.example straße.de fußball.example köln.de Ärzte.example
français.example élève.fr Œuvre.example garçon.example ñandú.es corazón.mx português.pt coração.br
ελληνικά.gr ΕΛΛΆΔΑ.example βόλος.com σίγμας.example россия.рф МОСКВА.рф українa.укр їжак.укр
日本語.jp ひらがな.example カタカナ.example コーヒー.jp 中文.中国 臺灣.台灣 香港.hk 한국.kr 서울.한국 \u1112\u1161\u11ab\u1100\u116e\u11a8.kr
हिन्दी.भारत भारत.example தமிழ்.example తెలుగు.example ไทย.ไทย ភាសា.example ქართული.გე հայերեն.հայ
việt.vn Việt-Nam.vn tiếng-việt.example łódź.pl ŻÓŁW.pl čeština.cz žluťoučký.cz magyarország.hu őrült.hu
türkçe.tr ığdır.tr ålesund.no ærø.dk íslenska.is ķīlis.lv šaltibarščiai.lt ðöð.is ĉapelo.example
bücher.example.com deep.sub.bücher.example faß.de ςίσυφος.gr ᏣᎳᎩ.example 〇.example
"""

PIECES = (
    "a b example www api münchen straße ÉTÉ élan Ωμέγα ΣΊΣΥΦΟΣ Россия київ 日本 こんにちは カタカナ 中文 한국어 ไทย "
    "हिन्दी தமிழ் עברית العربية فارسی ქართული հայ việt łódź İstanbul ıspanak ǅungla ﬁne ＡＢＣ ½ ℌ ² ① x² ´ ʼn ß ẞ ς "
    "a·b l·l ・ 々 〆 ー ゝ \u200d \u200c क्\u200dष ١٢ ۱۲ \u0301a e\u0301 o\u0323\u0302 o\u0302\u0323 q\u0307\u0323 "
    "\u1100\u1161 \u0958 \u0915\u093c \u212b \u2126 \u0344 \u0340 ꙮ ☃ ❤ 🍕 _x a_b -a a- a--b ab--c xn-- xn--a a*b "
    "\u00ad a\u00adb \u2028 \ufeff a\u0338 Ꭰ ꭰ ᏸ ჽ Ა 𐐀 𐐨 𝐀 𞤀 𞤢 ꓐ 𠀀 \U0002f868 א1 1א"
)


WORDS = PIECES.split(" ")


def answer(name):
    try:
        return idna.encode(name, uts46=True).decode().removesuffix(".")
    except (idna.IDNABidiError, idna.InvalidCodepointContext):
        return "context"
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        return "context" if "adjacent to joiner" in str(error) else None


def random_label(rng):
    kind = rng.randrange(8)
    if kind < 3:
        return "".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3)))
    if kind == 3:
        word = rng.choice(WORDS)
        form = rng.choice(["NFD", "NFC"])
        return unicodedata.normalize(form, rng.choice([str.upper, str.lower, str.title])(word))
    if kind == 4:
        first = rng.choice([0x61, 0xE0, 0x3B1, 0x430, 0x5D0, 0x627, 0x915, 0x3042, 0x4E00, 0xAC00, 0x1E00])
        return "".join(chr(first + rng.randrange(64)) for _ in range(rng.randint(1, 12)))
    if kind == 5:
        return rng.choice(["a", "ü", "語"]) * rng.randint(50, 66)
    if kind == 6:
        return "xn--" + "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789-") for _ in range(rng.randint(1, 9)))
    try:
        encoded = "xn--" + rng.choice(WORDS).encode("punycode").decode()
    except UnicodeError:
        encoded = "xn--"
    if encoded and rng.random() < 0.5:
        place = rng.randrange(len(encoded))
        encoded = encoded[:place] + rng.choice("abz019-A") + encoded[place + 1 :]
    return encoded


def code_points():
    unchanged, mapped = [], {}
    for value in range(0x110000):
        if 0xD800 <= value <= 0xDFFF:
            continue
        # No mark composes with q.
        encoded = answer(f"q{chr(value)}q")
        if encoded in (None, "context") or "." in encoded:
            continue
        text = idna.decode(encoded)[1:-1]
        if text != chr(value):
            mapped[str(value)] = text
        elif unchanged and unchanged[-1][1] == value - 1:
            unchanged[-1][1] = value
        else:
            unchanged.append([value, value])
    return unchanged, mapped


def main():
    assert unicodedata.unidata_version == idna.idnadata.__version__ == "17.0.0"
    rng = random.Random(20_26)
    expected = [[name, answer(name)] for name in NAMES.split()]
    assert all(result not in (None, "context") for _, result in expected), expected
    names = dict.fromkeys(WORDS)
    while len(names) < 1500:
        names[".".join(random_label(rng) for _ in range(rng.randint(1, 2)))] = None
    unchanged, mapped = code_points()
    rows = {
        "idna": idna.__version__,
        "expected": expected,
        "corpus": [[name, answer(name)] for name in names],
        "unchanged": unchanged,
        "mapped": mapped,
    }
    lines = []
    for member, value in rows.items():
        if member in ("expected", "corpus"):
            body = ",\n".join(json.dumps(row, ensure_ascii=True) for row in value)
            lines.append(f"{json.dumps(member)}: [\n{body}\n]")
        else:
            lines.append(f"{json.dumps(member)}: {json.dumps(value, ensure_ascii=True, separators=(',', ':'))}")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (pathlib.Path(__file__).parent / "idna.json").write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
