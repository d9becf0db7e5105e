"""Writes XML documents with what expat reads in them, for XMLPullParserTests.

    python generate.py                     rewrites documents.json beside this file
    python generate.py --seed 7 --output - fresh documents; run the tests with STACKCERT_XML_DOCUMENTS=<file>

Documents are shaped as botocore's models say S3 and STS answer, written by hand for a trap each, and mutated. Needs
botocore for the shapes; expat is Python's own.

A row is {"document": text or base64, "events": [...]} or {"document": ..., "refused": why}; "refused" is expat's
reason, or "stricter: ..." where expat would read on and StackCert's parser refuses on purpose.
"""

import argparse
import base64
import json
import pathlib
import random
import sys
import xml.parsers.expat
from xml.sax.saxutils import escape, quoteattr

import botocore.session

# What StackCert's parser refuses although expat does not, told from the bytes alone.
MAXIMUM_DEPTH = 64
MAXIMUM_ATTRIBUTES = 64


def events(document):
    """Expat's events: ["start", name, [[name, value]...]], ["text", text], ["end", name]."""
    found = []
    parser = xml.parsers.expat.ParserCreate()
    parser.ordered_attributes = True
    strict = []

    def start(name, attributes):
        pairs = [attributes[i:i + 2] for i in range(0, len(attributes), 2)]
        found.append(["start", name, pairs])
        depth[0] += 1
        if depth[0] > MAXIMUM_DEPTH:
            strict.append("too deep")
        if len(pairs) > MAXIMUM_ATTRIBUTES:
            strict.append("too many attributes")
        if not (name + "".join(n for n, _ in pairs)).isascii():
            strict.append("names are ASCII")

    def end(name):
        found.append(["end", name])
        depth[0] -= 1

    def text(data):
        if found and found[-1][0] == "text":
            found[-1][1] += data
        else:
            found.append(["text", data])

    def declaration(version, encoding, standalone):
        if version != "1.0":
            strict.append("XML 1.0 only")
        if encoding is not None and encoding.lower() != "utf-8":
            strict.append("UTF-8 only")

    def instruction(target, data):
        if not target.isascii():
            strict.append("names are ASCII")

    depth = [0]
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.XmlDeclHandler = declaration
    parser.ProcessingInstructionHandler = instruction
    parser.StartDoctypeDeclHandler = lambda *_: strict.append("no document types")
    try:
        parser.Parse(document, True)
    except xml.parsers.expat.ExpatError as error:
        return None, xml.parsers.expat.ErrorString(error.code)
    except (ValueError, LookupError) as error:
        return None, type(error).__name__
    try:
        decoded = document.decode("utf-8")
    except UnicodeDecodeError:
        return None, "stricter: UTF-8 only"
    if strict:
        return None, "stricter: " + strict[0]
    # Expat lets these two through; XML 1.0 does not (section 2.2).
    if "\ufffe" in decoded or "\uffff" in decoded:
        return None, "stricter: not a character"
    return found, None


def row(document):
    if isinstance(document, str):
        document = document.encode("utf-8", "surrogatepass")
    found, refused = events(document)
    try:
        result = {"document": document.decode("utf-8")}
    except UnicodeDecodeError:
        result = {"base64": base64.b64encode(document).decode()}
    return result | ({"refused": refused} if refused else {"events": found})


TEXTS = [
    "", "a", "backend-certificate/app/1.json", "a b", " leading", "trailing ", "\n", "é", "鍵", "🔑", "a&b", "<a>",
    "]]",
    "\"quoted\"", "'", "2026-11-20T23:08:00.000Z", "true", "1000", "\"d41d8cd98f00b204e9800998ecf8427e\"", "a%2Fb+c",
    "\u0085", "\u2028", "\u00a0", "\ufeff",
]


def shaped(shape, name, chance, depth=0):
    """Text for a value of a botocore shape, as a service would send it."""
    name = shape.serialization.get("name", name)
    if depth > 6:
        return ""
    if shape.type_name == "structure":
        inner = "".join(
            shaped(member, key, chance, depth + 1)
            for key, member in shape.members.items()
            if member.serialization.get("location") is None and chance.random() < 0.8)
        return f"<{name}>{inner}</{name}>"
    if shape.type_name == "list":
        count = chance.randint(0, 3)
        if shape.serialization.get("flattened"):
            return "".join(shaped(shape.member, name, chance, depth + 1) for _ in range(count))
        inner = "".join(shaped(shape.member, "member", chance, depth + 1) for _ in range(count))
        return f"<{name}>{inner}</{name}>"
    if chance.random() < 0.1:
        return f"<{name}/>"
    text = chance.choice(TEXTS)
    if chance.random() < 0.1 and "]]>" not in text:
        return f"<{name}><![CDATA[{text}]]></{name}>"
    return f"<{name}>{escape(text, {chr(34): '&quot;'} if chance.random() < 0.5 else {})}</{name}>"


def answers(chance):
    """Whole answers of the operations that StackCert calls, successes and errors."""
    session = botocore.session.Session()
    for service, operations in [
        ("s3", ["ListObjectsV2", "ListObjectVersions"]), ("sts", ["GetCallerIdentity", "AssumeRole"]),
    ]:
        model = session.get_service_model(service)
        for operation in operations:
            shape = model.operation_model(operation).output_shape
            for _ in range(6):
                if service == "s3":
                    root = shape.serialization.get("name", shape.name.replace("Output", "Result"))
                    body = shaped(shape, root, chance)
                    space = "http://s3.amazonaws.com/doc/2006-03-01/"
                else:
                    root = operation + "Response"
                    body = (
                        f"<{root}>" + shaped(shape, operation + "Result", chance)
                        + "<ResponseMetadata><RequestId>01234567-89ab</RequestId></ResponseMetadata>" + f"</{root}>")
                    space = "https://sts.amazonaws.com/doc/2011-06-15/"
                head = chance.choice(['<?xml version="1.0" encoding="UTF-8"?>\n', '<?xml version="1.0"?>', ""])
                yield head + body.replace(f"<{root}", f"<{root} xmlns={quoteattr(space)}", 1)
    for code in ["NoSuchKey", "AccessDenied", "PreconditionFailed"]:
        yield (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>Told by S3.</Message>'
            "<Key>a&amp;b</Key><RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>")
    yield (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n'
        "    <Code>AccessDenied</Code>\n    <Message>Not allowed.</Message>\n  </Error>\n"
        "  <RequestId>x</RequestId>\n</ErrorResponse>\n")


TRAPS = [
    "", " ", "a", "<a/>", "<a />", "<a></a>", "<a></a >", "<a></ a>", "< a/>", "<a", "<a>", "</a>", "<a></b>",
    "<a><b></a></b>",
    "<a/><b/>", "<a/>text", "<a/> \n", "text<a/>", " <a/>", "<a/><!-- c -->", "<!-- c --><a/>", "<a><!-- c --></a>",
    "<a>x<!-- c -->y</a>", "<a><!-- -- --></a>", "<a><!----></a>", "<a><!--->--></a>", "<a><!-- c ---></a>",
    "<a><!-- c</a>",
    "<a><![CDATA[]]></a>", "<a><![CDATA[<b>&amp;]]></a>", "<a><![CDATA[]]]]><![CDATA[>]]></a>", "<a><![CDATA[x</a>",
    "<![CDATA[x]]><a/>", "<a/><![CDATA[x]]>", "<a>]]></a>", "<a>]]&gt;</a>", "<a>]]</a>", "<a>]></a>", "<a x=']]>'/>",
    "<a>&amp;&lt;&gt;&quot;&apos;</a>", "<a>&amp</a>", "<a>&;</a>", "<a>& b</a>", "<a>&nbsp;</a>", "<a>&AMP;</a>",
    "<a>&#65;&#x41;&#x1F511;</a>", "<a>&#X41;</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#0;</a>", "<a>&#1;</a>",
    "<a>&#9;</a>",
    "<a>&#13;</a>", "<a>&#xD;&#xA;</a>", "<a>&#xD800;</a>", "<a>&#xFFFE;</a>", "<a>&#x110000;</a>", "<a>&#+65;</a>",
    "<a>&#-65;</a>", "<a>&# 65;</a>", "<a>&#65 ;</a>", "<a>&#00000000000000065;</a>", "<a>&#99999999999;</a>",
    "&amp;<a/>",
    "<a>x\r\ny\rz\nw</a>", "<a>\r\r\n\n\r</a>", "<a><![CDATA[x\r\ny\r]]></a>", "<a x='1\r\n2\r3\n4\t5'/>",
    "<a x='&#13;&#10;&#9;'/>", "<a x='  a  '/>", "<a x=\"'\" y='\"'/>", "<a x='&lt;'/>", "<a x='<'/>", "<a x='&'/>",
    "<a x/>", "<a x=/>", "<a x=1/>", "<a x='1/>", "<a x='1'y='2'/>", "<a x='1' x='2'/>", "<a x = '1'/>",
    "<a\tx\n=\r'1'/>",
    "<a / >", "<a/ >", "<a//>", "<a x='1'/ >", "<a 1='x'/>", "<a -b='x'/>", "<1a/>", "<-a/>", "<.a/>", "<_a/>",
    "<:a/>", "<a:b/>",
    "<a:b:c/>", "<a.b-c_d9/>", "<a\u00b7/>", "<é/>", "<a é='1'/>", "<a\u0300/>", "<鍵/>", "<a><é></é></a>",
    "<?xml version='1.0'?><a/>", " <?xml version='1.0'?><a/>", "<a/><?xml version='1.0'?>", "<?xml?><a/>",
    "<?xml ?><a/>",
    "<?xml version=''?><a/>", "<?xml version='1.1'?><a/>", "<?xml version='2.0'?><a/>", "<?xml version='1.0' ?><a/>",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>", "<?xml version='1.0' encoding='utf-8'?><a/>",
    "<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "<?xml version='1.0' encoding='UTF-16'?><a/>",
    "<?xml version='1.0' encoding='none-such'?><a/>",
    "<?xml version='&#49;.0'?><a/>", "<?xml version='1.&#48;'?><a/>", "<?xml version='1.0' encoding=''?><a/>",
    "<?xml encoding='UTF-8'?><a/>", "<?xml encoding='UTF-8' version='1.0'?><a/>",
    "<?xml version='1.0' standalone='yes'?><a/>",
    "<?xml version='1.0' standalone='maybe'?><a/>", "<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>",
    "<?xml version='1.0' encoding='UTF-8' standalone='no'?><a/>", "<?xml version='1.0' x='1'?><a/>",
    "<?xml version='1.0'encoding='UTF-8'?><a/>", "<?xml version='1.0'><a/>", "<?xml version='1.0'",
    "<?XML version='1.0'?><a/>",
    "<?xml-style x?><a/>", "<?a?><a/>", "<?a b?><a/>", "<? a?><a/>", "<a><?b ?></a>", "<a>x<?b c?>y</a>",
    "<a><?b</a>",
    "<a><?xml?></a>", "<a><?Xml x?></a>", "<?a\u00e9?><a/>", "<?a b>?><a/>", "<a/><?b?>", "<?b??><a/>", "<?b ??><a/>",
    "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a/><!DOCTYPE a>", "<a><!ELEMENT b></a>",
    "<!a/>",
    "<!DOCTYPE a [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><a>&b;</a>", "<a><!DOCTYPE b></a>", "<a><!-></a>",
    "<a><![cdata[x]]></a>",
    "\ufeff<a/>", "\ufeff<?xml version='1.0'?><a/>", " \ufeff<a/>", "\ufeff\ufeff<a/>", "<a>\ufeff</a>", "<a/>\ufeff",
    "<a>\x00</a>", "<a>\x01</a>", "<a>\x0b</a>", "<a>\x1f</a>", "<a>\x7f\x80</a>", "<a>\ufffe</a>", "<a>\uffff</a>",
    "<a>\ud800</a>", "<a x='\x01'/>", "<a><!-- \x01 --></a>", "<a>\u0085\u2028</a>", "<a/>\x00", "<a\u0085/>",
    "<a\u00a0x='1'/>",
    "<a>" * 64 + "</a>" * 64, "<a>" * 65 + "</a>" * 65, "<a>" * 300 + "</a>" * 300, "<a>" * 64,
    "<a " + " ".join(f"x{i}='1'" for i in range(64)) + "/>", "<a " + " ".join(f"x{i}='1'" for i in range(65)) + "/>",
]
BYTES = [
    b"<a>\xff</a>", b"<a>\xc0\x80</a>", b"<a>\xe2\x82</a>", b"<a>\xf4\x90\x80\x80</a>", "<a/>".encode("utf-16"),
    b"\xef\xbb<a/>",
]
PIECES = [
    "<", ">", "/", "&", ";", "\"", "'", "=", " ", "\n", "\r", "!", "?", "-", "]", "[", "]]>", "<!--", "-->",
    "<![CDATA[", "<?x ",
    "?>", "&amp;", "&#x41;", "&#0;", "&x;", "<a>", "</a>", "<a/>", "é", "\x02", "x='1'", "xml", "<!DOCTYPE a>", ":",
    "#",
]


def mutated(document, chance):
    text = document
    for _ in range(chance.choices([1, 2, 3], [6, 2, 1])[0]):
        at = chance.randint(0, len(text))
        kind = chance.random()
        if kind < 0.4:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif kind < 0.7:
            text = text[:at] + text[at + chance.randint(1, 4):]
        elif kind < 0.85:
            text = text[:at] + chance.choice(PIECES) + text[at + 1:]
        else:
            other = chance.randint(0, len(text))
            text = text[:at] + text[min(at, other):max(at, other)] + text[at:]
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300, help="mutated documents")
    parser.add_argument("--output", default=str(pathlib.Path(__file__).with_name("documents.json")))
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    whole = list(answers(chance))
    # Short ones, so that a mutation hits markup more often than text, and most of them well-formed.
    short = 8 * [d for d in whole if len(d) < 2000] + [t for t in TRAPS if 3 < len(t) < 80]
    documents = whole + TRAPS + BYTES + [mutated(chance.choice(short), chance) for _ in range(arguments.count)]
    rows = [row(document) for document in documents]
    text = "[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n]\n"
    if arguments.output == "-":
        sys.stdout.write(text)
    else:
        pathlib.Path(arguments.output).write_text(text)
    refused = sum("refused" in r for r in rows)
    stricter = sum(r.get("refused", "").startswith("stricter") for r in rows)
    print(f"{len(rows)} documents, {refused} refused, {stricter} of them by us alone", file=sys.stderr)


if __name__ == "__main__":
    main()
