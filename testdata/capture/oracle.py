#!/usr/bin/env python3
"""Declarations and identities of captured requests, computed without runattest.

The rules are those of docs/spec/capture/README.md, and the tables are read from the pages beside it. The Python
standard library alone is used. Run by hand:

    python3 oracle.py check           compares every vector with what this script computes
    python3 oracle.py write FILE...   writes id, canonical, open and unknown into vectors that expect ok

The format of a vector is in README.md.
"""
import base64, binascii, hashlib, json, posixpath, re, sys
from pathlib import Path
from urllib.parse import unquote, unquote_plus

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent.parent / "docs" / "spec" / "capture"
SEALED = "application/vnd.runattest.sealed.v1+json"
INTERFACE = "https://github.com/runattest/runattest/interface/v1"
SCHEMA = "https://github.com/runattest/runattest/declaration/v1"


class Refused(Exception):
    pass


# JSON text, with its order and its literals.

class Number(str):
    pass


class Obj(list):
    """Members as pairs."""

    def get(self, name):
        return next((v for k, v in self if k == name), None)

    def has(self, name):
        return any(k == name for k, _ in self)


def read_json(raw):
    if raw.startswith(b"\xef\xbb\xbf"):
        raise Refused("byte order mark")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("UTF-8")

    def pairs(l):
        if len({k for k, _ in l}) != len(l):
            raise Refused("duplicate")
        return Obj(l)

    def number(s):
        if float(s) in (float("inf"), float("-inf")):
            raise Refused("range")
        return Number(s)

    def constant(s):
        raise Refused(s)
    try:
        v = json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=constant)
    except (ValueError, RecursionError) as e:
        raise Refused(str(e))
    check(v, 0)
    return v


def check(v, depth):
    if isinstance(v, (list,)):
        depth += 1
        if depth > 256:
            raise Refused("depth")
    if isinstance(v, Obj):
        for k, e in v:
            check(k, depth)
            check(e, depth)
    elif isinstance(v, list):
        for e in v:
            check(e, depth)
    elif isinstance(v, str):
        if any(0xD800 <= ord(c) <= 0xDFFF for c in v):
            raise Refused("surrogate")


def read_yaml(raw):
    """What YAML 1.1 and 1.2 read alike: blocks of mappings and lists, flow collections, scalars of one line, comments."""
    text = raw.decode("utf-8")
    if text.lstrip()[:1] == "{":
        return read_json(raw)  # none of the vectors has in JSON what YAML reads in another way
    if re.search(r"[\t\r\x85\u2028\ufeff]", text):
        raise Refused("breaks")
    lines = [(len(l) - len(l.lstrip(" ")), l.strip(" ")) for l in text.split("\n")]
    lines = [(n, l) for n, l in lines if l and not l.startswith("#")]

    def plain(s):
        if re.search(r"^[&*!|>%@`]|^<<$", s):
            raise Refused("not plain")
        if s in ("", "~", "null", "Null", "NULL"):
            return None
        if s in ("true", "True", "TRUE", "false", "False", "FALSE"):
            return s.lower() == "true"
        if re.fullmatch(r"[-+]?(?:0|[1-9][0-9]*)", s) or re.fullmatch(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?", s):
            return Number(s.lstrip("+"))
        if re.fullmatch(r"(?i)y|n|yes|no|on|off|[-+]?[0-9][0-9_,]*|0[xob].*|[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?.*|[-+]?[0-9.]+e[-+]?[0-9]+|[-+]?\.(?:inf|nan)", s):
            raise Refused("another value to YAML 1.1")
        return s

    def flow(s):
        """One value at the start of s, and the rest."""
        s = s.lstrip(" ")
        if s[:1] in "[{":
            end, out, closing = s[:1], [], {"[": "]", "{": "}"}[s[:1]]
            s = s[1:].lstrip(" ")
            while s[:1] != closing:
                v, s = flow(s)
                s = s.lstrip(" ")
                if end == "{":
                    e, s = flow(s[1:])
                    v, s = (v, e), s.lstrip(" ")
                out.append(v)
                if s[:1] == ",":
                    s = s[1:].lstrip(" ")
            return (Obj(out) if end == "{" else out), s[1:]
        if s[:1] == '"':
            v, n = json.JSONDecoder().raw_decode(s)
            return v, s[n:]
        if s[:1] == "'":
            m = re.match("'((?:[^']|'')*)'", s)
            return m[1].replace("''", "'"), s[m.end():]
        m = re.match(r"[^,\[\]{}:]*(?::(?! )[^,\[\]{}:]*)*", s)
        return plain(m[0].strip(" ")), s[m.end():]

    def scalar(s):
        if s[:1] in ("[", "{", '"', "'"):
            v, rest = flow(s)
            if rest.strip(" ") and not rest.lstrip(" ").startswith("#"):
                raise Refused("behind")
            return v
        return plain(re.split(r" +#", s)[0])

    def block(i, indent):
        if lines[i][1].startswith("- ") or lines[i][1] == "-":
            out = []
            while i < len(lines) and lines[i][0] == indent and lines[i][1].startswith("-"):
                out.append(scalar(lines[i][1][1:].strip(" ")))
                i += 1
            return out, i
        out = []
        while i < len(lines) and lines[i][0] == indent:
            m = re.match(r"""("(?:[^"\\]|\\.)*"|[^"'\[{][^:]*):(?: +|$)(.*)""", lines[i][1])
            if not m:
                raise Refused("YAML")
            name, rest, i = scalar(m[1]), m[2], i + 1
            if (not rest or rest.startswith("#")) and i < len(lines) and (lines[i][0] > indent or lines[i][0] == indent and lines[i][1].startswith("-")):
                v, i = block(i, lines[i][0])
            else:
                v = scalar(rest) if not rest.startswith("#") else None
            if any(name == k for k, _ in out):
                raise Refused("duplicate")
            out.append((name, v))
        return Obj(out), i

    v, i = block(0, 0)
    if i < len(lines):
        raise Refused("YAML")
    return v


def string(s):
    out = ['"']
    for c in s:
        o = ord(c)
        if c in '"\\':
            out.append("\\" + c)
        elif c in "\b\t\n\f\r":
            out.append("\\" + "btnfr"["\b\t\n\f\r".index(c)])
        elif o < 32:
            out.append("\\u%04x" % o)
        else:
            out.append(c)
    return "".join(out) + '"'


def es(literal):
    """The nearest double as ECMAScript writes it."""
    f = float(literal)
    if f == 0:
        return "0"
    sign, r = ("-", repr(-f)) if f < 0 else ("", repr(f))
    mantissa, _, exp = r.partition("e")
    whole, _, frac = mantissa.partition(".")
    digits = whole + frac
    point = len(whole) + int(exp or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    n = len(digits)
    if n <= point <= 21:
        return sign + digits + "0" * (point - n)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    e = point - 1
    return sign + digits[0] + ("." + digits[1:] if n > 1 else "") + "e" + ("+" if e > 0 else "-") + str(abs(e))


def utf16(name):
    return name.encode("utf-16-be")


def canonical(v):
    if isinstance(v, dict):
        return "{" + ",".join(string(k) + ":" + canonical(v[k]) for k in sorted(v, key=utf16)) + "}"
    if isinstance(v, Number):
        return es(v)
    if isinstance(v, str):
        return string(v)
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    if isinstance(v, list):
        return "[" + ",".join(map(canonical, v)) + "]"
    raise TypeError(v)


# Tables, from their pages.

class Shape:
    def __init__(self):
        self.members, self.variants, self.elements, self.by = {}, {}, None, None
        self.words = self.text = self.free = self.secret = self.plain = False
        self.pairs, self.files, self.labels = False, None, False
        self.names = self.kinds = self.role = self.media = self.url = self.hides = None


class Member:
    def __init__(self, name):
        self.name, self.to, self.shape, self.hides, self.items = name, "stays", Shape(), None, None
        self.aliases = []
        self.required = self.empty = self.vanishes = self.null_counts = False


class Table:
    pass


def ticks(s):
    return re.findall(r"`([^`]*)`", s)


def describe(shape, phrases, sections, member=None):
    """Reads the phrases of a row, or those of a section."""
    for i, p in enumerate(phrases):
        q = p.strip()
        low = q.lower()
        if low.startswith("each item is ["):
            member.items = sections(re.search(r"\[([^\]]*)\]", q)[1])
        elif low.startswith("else role `member/"):
            pass
        elif low.startswith("each element is ["):
            shape.elements = sections(re.search(r"\[([^\]]*)\]", q)[1])
        elif low.startswith("each element: "):
            shape.elements = Shape()
            describe(shape.elements, [q[len("each element: "):]] + phrases[i + 1:], sections)
            return
        elif low.startswith("see ["):
            target = sections(re.search(r"\[([^\]]*)\]", q)[1])
            if member is not None:
                member.shape = target
        elif low == "text, free":
            shape.text = shape.free = shape.plain = True
            shape.elements = shape
        elif low == "free":
            shape.free, shape.elements = True, shape
            shape.plain = len(phrases) == 1 or not any("secrets by" in x or "each element" in x for x in phrases)
        elif low == "not searched for secrets":
            shape.plain = True
        elif low == "text":
            shape.text = True
        elif low == "text unless it is a list of strings":
            shape.text = shape.words = True
        elif low == "its names are labels":
            shape.labels = True
        elif low == "secret":
            shape.secret = True
        elif low == "secrets by the names of tools":
            shape.names = "tool"
        elif low == "secrets by the names of unknown members":
            shape.names = "unknown"
        elif low.startswith("binary: "):
            shape.kinds = set()
            if "data: url" in low:
                shape.kinds.add("data")
            if "standard alphabet" in low:
                shape.kinds.add("standard")
            if "either alphabet" in low:
                shape.kinds.add("either")
        elif low.startswith("role `") and shape.kinds is not None:
            shape.role = ticks(q)[0]
        elif low.startswith("media type from"):
            shape.media = ticks(q)[0]
        elif low == "a string is a list of arguments":
            shape.pairs = True
        elif low.startswith("a string that names a file is open: may hide "):
            shape.files = q[len("a string that names a file is open: may hide "):]
        elif low.startswith("a string is open: may hide "):
            shape.hides = q[len("a string is open: may hide "):]
        elif low == "url of a server":
            shape.url = "server"
        elif low == "url":
            shape.url = "other"
        elif low.startswith(("else a remote url", "a remote url")):
            shape.url = "remote"
        elif member is None:
            if low:
                raise ValueError("phrase %r" % q)
        elif low.startswith("to prompt, role"):
            member.to = "message"
        elif low.startswith("to "):
            member.to = low[3:]
        elif low.startswith("out: "):
            member.to = "out"
        elif low.startswith("also `"):
            member.aliases += ticks(q)
        elif low.startswith("refused: "):
            member.to = "refused"
        elif low == "required":
            member.required = True
        elif low == "null is not its absence":
            member.null_counts = True
        elif low.startswith("`[]` and"):
            member.empty = True
        elif low.startswith("absent where"):
            member.vanishes = True
        elif low.startswith("open: may hide "):
            member.hides = q[len("open: may hide "):]


def read_table(name):
    api, _, number = name.partition("/")
    text = (PAGES / (api + ".md")).read_text()
    t = Table()
    head, *sections = re.split(r"^## ", text, flags=re.M)
    assert head.startswith("# Capture format " + name)
    rows = re.findall(r"^\| ([a-z][^|]*|`api`|`kind`) \| (.*) \|$", head, flags=re.M)
    get = lambda key: [v for k, v in rows if k == key]
    t.api, t.kind = ticks(get("`api`")[0])[0], ticks(get("`kind`")[0])[0]
    t.providers = ticks(get("providers")[0])
    t.provider = (ticks(get("provider, where none is given")[0]) or [""])[0]
    if get("provider, where none is given")[0].startswith("none"):
        t.provider = ""
    t.paths = [(ticks(v)[0], ticks(v)[1:]) for v in get("path")]
    t.prefix = ticks((get("a model's name") or ["``"])[0])[0]
    t.yaml, t.args = bool(get("the body")), get("an argument") != []
    t.stand_in = (ticks((get("no `model`, or null") or ["`/`"])[0])[0])[:-1]
    t.roleless = bool(re.search(r"^\| a message whose `role` is absent", head, flags=re.M))
    t.nulls, t.own_nulls = get("null")[0].startswith("absent"), get("null")[0].endswith("in unknown members of the body")
    t.caller_model = bool(get("the model")) and not t.args
    t.args_in = "config" if t.args and "`config.model_args`" in get("an argument")[0] else None
    t.transient = (ticks((get("refused text") or ["``"])[0]))[0]
    t.one_of = ticks((get("exactly one of") or [""])[0])
    t.envelope = re.search(r"`id` and `([^`]*)`", (get("envelope") or [""])[0])
    t.tool_names = [p.split(".") for v in get("a tool's own name") for p in ticks(v)]
    t.named = []
    for kind in ("header", "query member"):
        for v in get(kind):
            n = {"kind": kind.split()[0], "name": ticks(v)[0], "flags": "list of flags" in v, "drop": [], "known": []}
            if m := re.search(r"left out: ([^;]*)", v):
                n["drop"] = ticks(m[1])
            if m := re.search(r"known: ([^;]*)", v):
                n["known"] = ticks(m[1])
            t.named.append(n)
    bodies = {}
    for s in sections:
        title, _, rest = s.partition("\n")
        bodies[title[:1].lower() + title[1:]] = rest
    made = {}

    def section(title):
        if title in made:
            return made[title]
        s = made[title] = Shape()
        rest = bodies[title]
        before, _, after = rest.partition("| member |")
        for p in re.split(r"\n\n+", before.strip()):
            if m := re.match(r"Its members are .* of its `([^`]*)`", p.replace("\n", " ")):
                s.by = m[1]
            elif p:
                describe(s, p.rstrip(".").replace("\n", " ").split("; "), section)
        members = s.members
        for line in after.split("\n"):
            if not line.startswith("| ") or line.startswith("|---"):
                continue
            cells = [c.strip() for c in line.strip("| ").split(" | ")]
            first = cells[0]
            if not first.startswith(("`", "*")):
                continue
            last = line.rstrip()[:-1].split(" | ", 1)[1].strip()
            if first.startswith("*"):
                m = re.match(r"\*`[^`]*` is `([^`]*)`:\*|\*(no) `", first)
                hides = last[len("open: may hide "):] if last.startswith("open") else None
                members = {}
                s.variants[m[1] or ""] = (members, hides)
                continue
            path = first.strip("`").split(".")
            place = members
            shape = None
            for i, seg in enumerate(path):
                depth = seg.count("[]")
                name = seg.replace("[]", "")
                if i == len(path) - 1 and not depth:
                    k = place[name] = Member(name)
                    describe(k.shape, last.split("; ") if last else [], section, k)
                else:
                    shape = place[name].shape
                    for _ in range(depth):
                        shape.elements = shape.elements or Shape()
                        shape = shape.elements
                    place = shape.members
        return s
    t.body = section("the body")
    t.aliased = "; also `" in text
    return t


# The rules.

def fold(name):
    """Simple case folding: where the full one is longer than one character, the simple one is the lower case, if that is one."""
    return "".join(next((f for f in (c.casefold(), c.lower()) if len(f) == 1), c) for c in name)


def squeeze(name):
    return fold(name).replace("-", "").replace("_", "")


def lists():
    """The lists of names, from section 6 of README.md: a row "| what | `a` `b` |" each."""
    text = (PAGES / "README.md").read_text()
    section = text[text.index("## 6. Secrets"):text.index("## 7. Binary")]
    return {name: ticks(l) for name, l in re.findall(r"^- \*([a-z ]+)\*:((?: +`[^\n]*\n)+)", section, flags=re.M)}


LISTS = lists()
PLAIN = "arguments input input_examples input_schema inputSchema json_schema output output_schema outputSchema parameters result schema".split()
MARK = "[secret]"


def plain_name(name):
    return "".join(c for c in fold(name) if ord(c) > 127 or c in "abcdefghijklmnopqrstuvwxyz0123456789")


def ends(name, list_):
    return name.endswith(tuple(LISTS[list_]))


def one(name):
    return name[:-1] if name.endswith("s") else name


def is_credential(name):
    p = one(plain_name(name))
    return len(name.encode()) <= 200 and (ends(p, "credentials") or p in ("cookie", "setcookie"))


def is_secret(name):
    b = name.encode()
    p = plain_name(b[-200:].decode(errors="replace") if len(b) > 200 else name)
    if len(p.encode()) < 2:
        return False
    if ends(p, "credentials") or ends(one(p), "credentials") or ends(p, "more endings") or p in LISTS["whole names"]:
        return True
    if p.endswith("token"):
        return p[:-5] not in LISTS["words of tokenizers"]
    p = one(p)
    before = p[:-3]
    return p.endswith("key") and before != "" and not ends(before, "ordinary keys") and \
        (ends(before, "kinds of keys") or any(v in before for v in LISTS["vendors"]))


def is_address(name):
    return one(squeeze(name)).endswith(("url", "uri", "endpoint", "proxy", "server", "href", "link", "tunnel", "callback", "webhook", "upstream", "origin", "apibase"))


def is_command(name):
    return plain_name(name) in "args argv cmd command commandline commands entrypoint exec headershelper run script shell".split()


def is_query_secret(name):
    if not re.search("%(?![0-9A-Fa-f]{2})", name):
        name = unquote(name)
    low, p = fold(name), plain_name(name)
    return low in LISTS["members of a query"] or low.startswith(("x-amz-", "x-goog-")) or p.endswith(("signature", "accesskeyid")) \
        or p.endswith("key") and not ends(p[:-3], "ordinary keys") or is_secret(name)


AUTHORITY = re.compile(r"(?:https?|wss?|ftps?):[/\\]*|:[/\\]{2}|^[/\\]{2,}", re.I | re.A)


def url_cuts(text, every, nested=True):
    """Ranges of text that are secret."""
    cuts = []
    head = text.split("#")[0].split("?")[0]
    found = list(AUTHORITY.finditer(head))
    path = 0
    for i, m in enumerate(found):
        host = re.match(r"[^/\\]*", head[m.end():])[0]
        wide = head[m.end():].split("/")[0]
        if i == 0:
            path = m.end() + len(host)
        if "\\" in wide and (m[0][0] != "\\" or "@" in wide):
            raise Refused("backslash")
        if host.rfind("@") > 0:
            cuts.append((m.end(), m.end() + host.rfind("@")))
    host = re.match(r"[^/\\]*", head)[0]
    if not found and host.rfind("@") > 0 and ":" in host[:host.rfind("@")]:
        cuts.append((0, host.rfind("@")))

    def pieces(start, end, separators, bare):
        for m in re.finditer("[^" + separators + "]+", text[start:end]):
            name, eq, value = m[0].partition("=")
            if eq and value and (every or is_query_secret(name) or nested and is_secret_url(value)):
                cuts.append((start + m.start() + len(name) + 1, start + m.end()))
            elif not eq and bare:
                cuts.append((start + m.start(), start + m.end()))
    pieces(path, len(head), ";/", False)
    hash_ = text.find("#") if "#" in text else len(text)
    pieces(len(head) + 1, hash_, "&;?", every)
    pieces(hash_ + 1, len(text), "&;?", False)
    return cuts


def is_secret_url(value):
    if not re.search("%(?![0-9A-Fa-f]{2})", value):
        value = unquote_plus(value, errors="surrogateescape")
    if not AUTHORITY.search(value):
        return False
    try:
        return clean_url(value, False, False) != value
    except Refused:
        return True


def clean_url(s, every, nested=True):
    at = [i for i in range(len(s)) if s[i] not in "\t\n\r"]
    while at and s[at[0]] <= " ":
        at.pop(0)
    while at and s[at[-1]] <= " ":
        at.pop()
    out, done = "", 0
    merged = []
    for a, b in sorted(url_cuts("".join(s[i] for i in at), every, nested)):
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(b, merged[-1][1])
        else:
            merged.append([a, b])
    for a, b in merged:
        out, done = out + s[done:at[a]] + MARK, at[b - 1] + 1
    return out + s[done:]


# Strings in tools and unknown members.

def behind(s, sep, otherwise):
    head, found, rest = s.partition(sep)
    bare = rest.lstrip(" \t")
    return otherwise if not found else s if not bare else s[:len(s) - len(bare)] + MARK


PLAIN_HEADER = re.compile("(?:-H|--(?:proxy-)?header=)?(?i:accept|content-type):", re.A)
HOST_PORT = re.compile(r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+):[0-9]{1,5}")
ENV_OPTION = "(?:-e[A-Z_][A-Z0-9_]*|--env=[A-Za-z_][A-Za-z0-9_.-]*)="


def is_location(s):
    return re.match(r"[A-Za-z]:[/\\]|[A-Za-z][A-Za-z0-9+.-]*://", s) is not None


def clean_element(before, s, pair, how="prose"):
    option = before.lstrip("-")
    headers, logins = ("-H", "--header", "--proxy-header"), ("-u", "--user", "--proxy-user")
    if before in headers + logins and (is_location(s) or PLAIN_HEADER.match(s)) or before == "-H" and HOST_PORT.fullmatch(s):
        return clean_text(s, how)
    if before in headers:
        return behind(s, ":", MARK)
    if before in ("-e", "--env") and re.match("[A-Za-z0-9_.][A-Za-z0-9_.-]*=", s):
        return behind(s, "=", s)
    if before in logins and not re.fullmatch("[0-9]{1,10}:[0-9]{1,10}", s):
        return behind(s, ":", s)
    if before == "--env" and re.fullmatch("[A-Z_][A-Z0-9_]*", s):
        return s
    is_option = option != before and not re.search("[=: ]", option) and not option.startswith("no-")
    if s and (is_option and (not s.startswith("--") or s.startswith("-----BEGIN")) and is_secret(option) or pair and is_credential(option)):
        return MARK
    return clean_text(s, how)


def clean_text(s, how="prose"):
    for option in (r"(?:-H|--(?:proxy-)?header=)[^:]+:[ \t]*", ENV_OPTION):
        m = re.match(option, s)
        if m and m.end() < len(s) and not PLAIN_HEADER.match(s):
            return m[0] + MARK
    if s[:1] == "-" and assigned(s, False):
        return assigned(s) + MARK
    blank = re.search(r"[ \t\r\n]", s)
    if not blank and AUTHORITY.search(s):
        try:
            s = clean_url(s, how == "shell")
        except Refused:
            return MARK
    secret = is_credential if blank and how != "arguments" else is_secret
    m = re.fullmatch(r"([A-Za-z0-9_.-]+):[ \t]*([^ \t\n\f\r]+|(?:bearer|basic|token|apikey|key|bot|negotiate) +[^ \t\n\f\r]+|(?:digest +)?[^ \t\n\f\r]+=[^\r\n]*)", s, re.I | re.A)
    if m and secret(m[1]):
        return s[:m.start(2)] + MARK
    if how == "arguments" or re.match(r"""(?:-*[A-Za-z0-9_.-]+=)?[ \t\r\n"'\\\\]*[{\[]""", s):
        s = clean_members(s, is_secret, True)
    else:
        s = clean_members(s, secret, False)
    out, done = "", 0
    for m in re.finditer("([A-Za-z0-9_.-]+)=" if how == "shell" else r"([A-Za-z0-9_.-]+)[ \t]*=+[ \t]*|(-[A-Za-z0-9_.-]+)[ \t]+", s):
        option = m[1] is None
        if m.start() < done or m.start() > 0 and s[m.start() - 1] not in " \t\r\n,;&?#\"'`({[" or option and s.startswith("--", m.end()) \
                or not secret((m[2] if option else m[1]).lstrip("-")):
            continue
        if s[m.end():m.end() + 1] in ('"', "'"):
            start = m.end() + 1
            value = s[start:].split(s[m.end()])[0]
        else:
            start = m.end()
            value = re.match("[^ \t\r\n\"'`]*", s[start:])[0]
            value = re.split("[,;&][A-Za-z0-9_.-]+=", value)[0]
            if how == "shell":
                value = value[:len(value) - at_end(value)]
        if value:
            out, done = out + s[done:start] + MARK, start + len(value)
    return out + s[done:]


MEMBER = re.compile(r"""\\*["']((?:[^"'\\\r\n]|\\+[^"'\\\r\n])+)\\*["'][ \t\r\n]*(?:=>|[:=])[ \t\r\n]*|([A-Za-z0-9_.-]+)[ \t]*:[ \t\r\n]*""")
ESCAPE = re.compile(r"\\+(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2}))")
QUOTATION = re.compile(r"""(\\*)(["'])""")


def quotation(s, at):
    """Where the text in quotation marks begins that stands at a place, where it ends, and what is behind it; or None."""
    m = QUOTATION.match(s, at)
    if not m:
        return None
    for e in re.compile(r"(\\*)" + m[2]).finditer(s, m.end()):
        if len(e[1]) <= len(m[1]):
            return m.end(), e.start(), e.end()
    return m.end(), len(s), len(s)


def member_value(s, start):
    q = quotation(s, start)
    if q:
        return q[:2]
    if s[start:start + 1] not in ("{", "["):
        return start, start + len(re.match(r"[^,;)\]}\r\n]*", s[start:])[0])
    depth, at = 0, start
    while at < len(s):
        q = quotation(s, at)
        if q:
            at = q[2]
            continue
        if s[at] == "\\":
            at += len(re.match(r"\\*", s[at:])[0])
            continue
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(s[at], 0)
        at += 1
        if depth == 0:
            break
    return start, at


def decoded(name):
    """A name without escape sequences of characters by their numbers."""
    def char(m):
        n = int(m[1] or m[2] or m[3], 16)
        return m[0] if n > 0x10FFFF else "\uFFFD" if 0xD800 <= n < 0xE000 else chr(n)
    return ESCAPE.sub(char, name)


def clean_members(s, secret, bare):
    out, done, at = "", 0, 0
    while m := MEMBER.search(s, at):
        at = m.end()
        if m[1] is None and (not bare or m.start() > 0 and s[m.start() - 1] not in " \t\r\n,;({[") or not secret(decoded(m[1] or m[2])):
            continue
        start, end = member_value(s, at)
        if s[start:end].strip(" \t\r\n{}[]").lower() in ("", "true", "false", "null", "none"):
            continue
        out, done, at = out + s[done:start] + MARK, end, end
    return out + s[done:]


def names_file(s):
    try:
        if isinstance(json.loads(s), dict):
            return False
    except ValueError:
        pass
    return any(re.search(r"[/\\]|\.(?:yaml|json)\Z|\A\.\.?\Z", p.strip()) for p in s.split(","))


def clean_list(s):
    out, secret = [], False
    s = clean_members(s, is_secret, True)
    for p in s.split(","):
        name, equals, value = p.partition("=")
        if secret and not equals:
            continue
        secret = bool(equals and value and is_secret(name))
        out.append(name + "=" + MARK if secret else name + equals + clean_text(value, "arguments") if equals else clean_text(p, "arguments"))
    return ",".join(out)


def assigned(s, env=True):
    """What stands up to the equals sign of NAME=VALUE with a secret name, and NAME= alone is none."""
    m = re.match(ENV_OPTION + r"(?=[\s\S])", s) if env else None
    if m:
        return m[0]
    m = re.match(r"-*([A-Za-z0-9_.-]+)=(?=[\s\S])", s)
    return m[0] if m and is_secret(m[1]) else None


def runs(before):
    return re.fullmatch("-[A-Za-z]*c|/[cCkK]|--?[cC]ommand", before) is not None


def at_end(word):
    """How many bytes at the end of a word end a command."""
    m = re.search(r"(\\?)([;&|]+)\Z", word)
    return len(m[2]) if m and not m[1] else 0


def beside(s, clean):
    """Whether a text with a secret is beside another command."""
    pair = "[;&][A-Za-z0-9_.-]+="
    n = len(re.findall(pair, s))
    return len(re.findall("[;&|<>()`\r\n]", s)) > n or len(re.findall(pair, clean)) < n


SCHEMES = "(?i:bearer|basic|token|apikey|api-key|key|bot|negotiate|digest)"
VARIABLE = r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{(?:env:|input:)?[A-Za-z_][A-Za-z0-9_.-]*\})"
BLANK_END = r"[^ \t\n\f\r]"


def clean_argument(before, s, pair):
    clean, ok = argument(before, s, pair, 3)
    if not ok or "PRIVATE KEY-----" in s or "AGE-SECRET-KEY-" in s:
        raise Refused("a secret beside another command")
    return clean


def begins_object(s):
    return re.match(r"""(?:-*[A-Za-z0-9_.-]+=)?[ \t\r\n"'\\]*[{\[]""", s) is not None


def json_in(s):
    """The object or list that the text is, perhaps behind NAME=, or None."""
    if not begins_object(s):
        return None
    s = re.sub(r"\A-*[A-Za-z0-9_.-]+=", "", s)
    for text in (s, s.replace('\\"', '"')):
        v = plain_json(text)
        if isinstance(v, str):
            v = plain_json(v)
        if isinstance(v, (dict, list)):
            return v
    return None


def plain_json(text):
    def constant(name):
        raise ValueError(name)
    try:
        return json.loads(text, parse_int=float, parse_constant=constant)
    except (ValueError, RecursionError):
        return None


def by_place(v):
    """Whether something is secret by what stands beside it."""
    if isinstance(v, dict):
        low = {k.lower() for k in v}
        if low & {"value", "values"} and any(k.lower() in ("name", "key", "header", "variable") and isinstance(e, str) and is_secret(e) for k, e in v.items()):
            return True
        return any(by_place(e) for k, e in v.items() if not is_secret(k))
    if isinstance(v, list):
        words = [e if isinstance(e, str) else "" for e in v]
        return any(map(by_place, v)) or any(clean_element(a, b, len(v) == 2) != clean_element("", b, False) for a, b in zip(words, words[1:]))
    return False


def reads_source(before):
    return re.fullmatch("-[A-Za-z]*e|--(?:env|eval|exec)", before) is not None


def is_env(s):
    safe = "[A-Za-z0-9_.~+/=:@,?#!-]"
    return re.fullmatch("-*(?:e|env=)?[A-Za-z0-9_.-]+=(?:%s|(?!~)%s(?:%s|%%[0-9A-Fa-f]{2})*)?" % (VARIABLE, safe, safe), s) is not None


def argument(before, s, pair, depth):
    line, blank = not before or runs(before), re.search("[ \t\n\r]", s)
    if assigned(s) and (not line or not before and s[0] == "-"):
        return assigned(s) + MARK, lone(before, s, assigned(s) + MARK)
    v = json_in(s)
    words, ok = s if v is None else clean_members(s, is_secret, True), True
    for escapes in (True, False) if depth else ():
        words, one = clean_words(words, escapes, depth)
        ok = ok and one
    clean = clean_element(before, words, pair, "shell")
    if not line and not blank:
        ok = True
    if v is not None and by_place(v) or not runs(before) and scheme_token(s):
        ok = False
    if reads_source(before) and clean != s and not is_env(s):
        ok = False
    compared = words if blank and v is None else s
    if line:
        same = clean == compared or clean == words and v is None
        return clean, ok and (same or not beside(compared, clean) and values_alone(compared, clean))
    return clean, ok and lone(before, compared, clean)


def scheme_token(s):
    """Whether the text is a scheme and what may be a token, and perhaps more."""
    m = re.match(r"[ \t\r\n]*(" + SCHEMES + r")[ \t]+([^ \t\r\n$]" + BLANK_END + r"*)([\s\S]*)", s)
    return m is not None and (not m[3].strip(" \t\r\n") or m[1].lower() == "bearer" or len(m[2]) >= 16 or re.search("[0-9]", m[2]) is not None)


def lone(before, s, clean):
    """Whether what is secret in an argument is a value alone."""
    if s == clean:
        return True
    v = json_in(s)
    if clean == MARK and not (before.startswith("--") and is_secret(before[2:])) or re.fullmatch(r"[A-Za-z]:\[secret\]", clean):
        return False
    if before == "-u" and not is_location(s) or before == "-H" and not is_location(s) and not re.match(r"[^:]*:[ \t]", s) or re.match(r"-H[^:]+:[^ \t]", s):
        return False
    if (reads_source(before) or re.match(ENV_OPTION + r"|-[A-Za-z0-9_.][A-Za-z0-9_.-]*=", s)) and not is_env(s):
        return False
    if v is None and begins_object(s):
        return False
    if any(s.count(c) > clean.count(c) or c + MARK in clean for c in ";&|<>()`\r\n"):
        return False
    if not values_alone(s, clean):
        return False
    if v is not None or sum(map(clean.count, " \t\v\f")) == sum(map(s.count, " \t\v\f")):
        return True
    return re.fullmatch(r"[^: \t]+:[ \t]*" + SCHEMES + r" +[^- \t\n\f\r]" + BLANK_END + "*", s) is not None


def values_alone(s, clean):
    """Whether a shell, or what reads the text again, leaves what is secret in it as it is."""
    m = re.fullmatch("([\\s\\S]*?)".join(map(re.escape, clean.split(MARK))), s)
    v = json_in(s)
    if not m or v is None and brace_list(s):
        return False
    scheme, globs = "(?:" + SCHEMES + " +)?", re.search("[ \t\r\n]", s) or "://" not in s
    for part in m.groups():
        if v is not None:
            part = re.sub('"' + scheme + VARIABLE + '"', "", part)
        if re.fullmatch("(?:[A-Za-z0-9_-]+:[ \t]*)?" + scheme + VARIABLE, part) or part == "\\":
            continue
        if "$" in part or v is None and ("\\" in part or globs and re.search(r"[*?\[]", part)) or re.search(r"%[A-Za-z]?[\[{(<]", part):
            return False
    return True


def brace_list(s):
    depth = 0
    for i, c in enumerate(s):
        if c == "{":
            depth += 1
        elif c == "}":
            depth = max(depth - 1, 0)
        elif depth and (c == "," or s.startswith("..", i)):
            return True
    return False


def words_of(s, escapes):
    """Words as (start, end, text, and of each of its characters the mark it is quoted with, "'" for a backslash)."""
    plain = r"""[^ \t\n\r"']"""
    kinds = [r"\\(?:\r?\n)", r"\\[\s\S]", r"'[^']*(?:'|\Z)", r'"(?:\\[\s\S]|[^"\\])*(?:"|\\?\Z)', plain]
    if not escapes:
        kinds = [r"'[^']*(?:'|\Z)", '"[^"]*(?:"|\\Z)', plain]
    at = 0
    while at < len(s):
        if s[at] in " \t\n\r":
            at += 1
            continue
        joined = re.match(r"(?:\\\r?\n)+", s[at:]) if escapes else None
        if joined:
            at += joined.end()
            continue
        start, text, quoted = at, "", ""
        while m := re.match("|".join("(%s)" % k for k in kinds), s[at:]):
            piece, at = m[0], at + m.end()
            if piece[0] in "\"'":
                inner = piece[1:-1] if len(piece) > 1 and piece[-1] == piece[0] and not (escapes and re.fullmatch(r'"(?:\\[\s\S]|[^"\\])*', piece)) else piece[1:]
                for e in re.finditer(r"\\(\r?\n|[$`\"\\])|[\s\S]" if escapes and piece[0] == '"' else r"()[\s\S]", inner):
                    if not (e[1] or "").endswith("\n"):
                        text, quoted = text + (e[1] or e[0]), quoted + ("'" if e[1] else piece[0])
            elif escapes and piece[0] == "\\" and len(piece) > 1:
                if piece[-1] != "\n":
                    text, quoted = text + piece[1:], quoted + "'"
            else:
                text, quoted = text + piece, quoted + " "
        yield start, at, text, quoted


def mark_for(first, word, clean, quoted):
    """The quotation marks between which a shell reads what is not secret in the word as in the source, or None."""
    m = re.fullmatch("([\\s\\S]*?)".join(map(re.escape, clean.split(MARK))), word)
    secret = [m.span(i + 1) for i in range(len(m.groups()))] if m else []
    acts = lambda c, mark: mark == " " or mark == '"' and c in "$`"
    special = [m.start() for m in re.finditer(r"[$`*?\[{;&|<>() \t\r\n]|^#|(?:^|(?<=[=:]))~", word)
               if not any(a <= m.start() < b for a, b in secret)]
    for mark in (first if first in "\"'" else " ", "'", '"'):
        if all(acts(word[i], quoted[i]) == acts(word[i], mark) for i in special):
            return mark.strip()


def clean_words(s, escapes, depth):
    out, done, last, before, ok = "", 0, 0, "x", True
    for start, end, word, quoted in words_of(s, escapes):
        if re.search("[\r\n]", re.sub(r"\\\r?\n", "", s[last:start])) and before != "x" and not runs(before) and \
                argument("x", word, False, 0)[0] != argument(before, word, False, 0)[0]:
            ok = False
        last = end
        n = min(at_end(s[start:end]), at_end(word))
        end, word = end - n, word[:len(word) - n]
        clean, one = argument(before, word, False, depth - 1 if re.search("[ \t\n\r]", word) else 0)
        ok = ok and one
        if clean != word:
            outer = mark_for(s[start], word, clean, quoted)
            out, done = out + s[done:start] + (outer or "") + clean + (outer or ""), end
            ok = ok and outer is not None and (runs(before) or not beside(word, clean))
        before = "x" if n else word
    return out + s[done:], ok


def media_type(s):
    n = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+\-]{0,126}"
    return re.fullmatch(n + "/" + n, s) is not None


def decode(s, either):
    if not s or not s.isascii():
        return None
    alphabet = r"[A-Za-z0-9+/]"
    if either and re.search(r"[-_]", s):
        alphabet = r"[A-Za-z0-9_\-]"
    if len(s) % 4 or not re.fullmatch(alphabet + r"+={0,2}", s):
        return None
    raw = base64.b64decode(s.replace("-", "+").replace("_", "/"))
    again = base64.b64encode(raw).decode()
    return raw if again == s.replace("-", "+").replace("_", "/") else None


class Context:
    def __init__(self, text=False, names=None, hidden=False, url=None, command=False, before="", pair=False):
        self.text, self.names, self.hidden, self.url, self.command, self.before, self.pair = text, names, hidden, url, command, before, pair

    def but(self, **k):
        return Context(**{**self.__dict__, **k})

    def below(self, name, v):
        if not self.names:
            return self
        url = ("server" if self.names == "tool" else "other") if is_address(name) else None
        named = fold(name) in ("value", "values") and any(
            fold(k) in ("name", "key", "header", "variable") and isinstance(e, str) and not isinstance(e, Number) and is_secret(e) for k, e in v)
        return self.but(hidden=self.hidden or is_secret(name) or named, url=url, command=self.command or is_command(name))


def make(**k):
    s = Shape()
    s.__dict__.update(k)
    s.elements = s
    return s


TEXT = make(text=True, free=True, plain=True)
UNKNOWN = make(text=True, free=True, names="unknown")
TOOL_PART = make(text=True, free=True, names="tool")
ABSENT = object()


class Capture:
    def __init__(self, table):
        self.t = table
        self.trail = []
        self.nulls, self.integers, self.secrets = [], [], []
        self.binaries, self.open, self.unknown = [], [], []

    def here(self, l, *more):
        l.append((tuple(self.trail),) + more)

    # Values come back as dict, list, str, Number, bool outside text, and as compact text inside.
    def value(self, v, s, c):
        if s.secret:
            self.here(self.secrets)
            return self.put("[secret]", c)
        if s.names:
            c = c.but(names=s.names)
        if s.plain:
            c = c.but(names=None, hidden=False, url=None, command=False)
        compound = isinstance(v, list)
        words = s.words and compound and not isinstance(v, Obj) and all(isinstance(e, str) and not isinstance(e, Number) for e in v)
        if s.text and not words and not c.text and (not isinstance(v, str) or isinstance(v, Number)) and (s is not UNKNOWN or compound):
            return {"json": self.value(v, s, c.but(text=True))}
        if isinstance(v, Obj):
            return self.object(v, s, c)
        if isinstance(v, list):
            out = []
            before = ""
            for i, e in enumerate(v):
                c = c.but(before=before, pair=i == 1 and len(v) == 2)
                before = e if isinstance(e, str) and not isinstance(e, Number) else ""
                self.trail.append(i)
                if e is None and not c.text:
                    raise Refused("null element")
                out.append(self.value(e, s.elements or Shape(), c))
                self.trail.pop()
            return "[" + ",".join(out) + "]" if c.text else out
        if isinstance(v, Number):
            if c.hidden:
                self.elsewhere(MARK, s)
                self.here(self.secrets)
                return self.put(MARK, c)
            if c.text:
                return str(v)
            if not re.search("[.eE]", v) and abs(int(v)) > 2**53 - 1:
                self.elsewhere(str(v), s)
                self.here(self.integers)
                return str(v)
            return Number(es(v))
        if isinstance(v, str):
            return self.string(v, s, c, "")
        if v is None:
            return "null"
        return ("true" if v else "false") if c.text else v

    def put(self, s, c):
        return string(s) if c.text else s

    def string(self, v, s, c, media):
        if self.t.transient and self.t.transient in v:
            raise Refused("an address in memory")
        if c.hidden:
            self.elsewhere(MARK, s)
            if s.url == "remote" and not s.kinds:
                self.here(self.open, "content")
            self.here(self.secrets)
            return self.put(MARK, c)
        self.elsewhere(v, s)
        if s.pairs:
            clean = clean_list(v)
            if clean != v:
                self.here(self.secrets)
            return self.put(clean, c)
        if s.kinds is not None:
            return self.put(self.binary(v, s, media), c)
        url = s.url or c.url
        if url:
            return self.put(self.address(v, url), c)
        if c.names:
            clean = (clean_argument if c.command else clean_element)(c.before, v, c.pair)
            if clean != v:
                self.here(self.secrets)
            v = clean
        return self.put(v, c)

    def elsewhere(self, v, s):
        if s.hides:
            self.here(self.open, s.hides)
        if s.files and (MARK in v or names_file(v)):
            self.here(self.open, s.files)

    def address(self, v, url):
        if url == "remote":
            self.here(self.open, "content")
        clean = clean_url(v, url == "server")
        if clean != v:
            self.here(self.secrets)
        return clean

    def binary(self, v, s, media):
        if v.startswith("ni:"):
            raise Refused("ni:")
        data, suffix, ok = v, "", bool(s.kinds - {"data"})
        if v[:5].lower() == "data:":
            m = re.match(r"data:([^,]*);base64,(.*)\Z", v, re.S)
            ok = m is not None and "data" in s.kinds
            if ok:
                data = m[2]
                suffix = "?ct=" + "".join(chr(b) if re.match(rb"[A-Za-z0-9\-._~/]", bytes([b])) else "%%%02X" % b for b in m[1].encode())
                media = m[1].split(";")[0]
        elif s.url and not ok:
            return self.address(v, s.url)
        raw = decode(data, "either" in s.kinds) if ok else None
        if raw is None:
            return v
        if media.lower() == SEALED:
            raise Refused("sealed")
        digest = hashlib.sha256(raw)
        r = {"role": s.role, "digest": {"sha256": digest.hexdigest()}, "size": len(raw)}
        if media_type(media):
            r["mediaType"] = media
        self.here(self.binaries, r)
        return "ni:///sha-256;" + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=") + suffix

    def members_of(self, v, s):
        if not s.by:
            return s.members
        kind = v.get(s.by) if v.has(s.by) else ABSENT
        if kind is ABSENT or kind is None:
            kind = ""
        if isinstance(kind, str) and not isinstance(kind, Number) and kind in s.variants:
            members, hides = s.variants[kind]
            if hides:
                self.here(self.open, hides)
            return {**s.members, **members}
        self.here(self.unknown)
        return s.members

    def check_names(self, v, members, s):
        spellings = {a: k for k in members.values() for a in [k.name] + k.aliases}
        form = (lambda n: fold(n).replace("_", "")) if self.t.aliased and members else fold
        known = [spellings[n].name for n, _ in v if n in spellings]
        if len(set(known)) != len(known):
            raise Refused("two spellings")
        if s.free:
            return spellings
        seen = {form(k) for k in members}
        for name, _ in v:
            if name not in spellings:
                if form(name) in seen:
                    raise Refused("case")
                seen.add(form(name))
        return spellings

    def object(self, v, s, c):
        c = c.but(before="", pair=False)
        members = self.members_of(v, s)
        spellings = self.check_names(v, members, s)
        out = []
        for name, e in v:
            k = spellings.get(name)
            if k and not c.text:
                name = k.name
            self.trail.append(name)
            w = self.member(v, e, k, c) if k else self.unknown_member(v, e, s, name, c)
            if w is not ABSENT:
                out.append((name, w))
            self.trail.pop()
        if c.text:
            return "{" + ",".join(string(n) + ":" + w for n, w in out) + "}"
        return dict(out)

    def member(self, v, e, k, c):
        if k.to == "out":
            return ABSENT
        if not c.text:
            if e is None:
                if k.required:
                    raise Refused("null")
                if not self.t.nulls or k.null_counts:
                    self.here(self.nulls)
                return ABSENT
            if (k.empty or k.vanishes) and e in ([], Obj()) and isinstance(e, list):
                return ABSENT
        if k.hides:
            self.here(self.open, k.hides)
        hidden = c.hidden
        c = c.below(k.name, v)
        if any(m.shape.secret for t in (k.shape, k.shape.elements or k.shape) for m in t.members.values()):
            c.hidden = hidden
        if c.names == "tool" and not c.hidden and self.leaf(k.shape):
            c = Context(text=c.text)
        k_media = next((m for m in (k.shape.media, re.sub("[A-Z]", lambda m: "_" + m[0].lower(), k.shape.media or "")) if m and v.has(m)), None)
        if k.shape.kinds is not None and isinstance(e, str) and not isinstance(e, Number):
            media = v.get(k_media) if k_media else ""
            return self.put(self.binary(e, k.shape, media if isinstance(media, str) and not isinstance(media, Number) else ""), c)
        nulls = len(self.nulls)
        w = self.value(e, k.shape, c)
        return ABSENT if k.vanishes and w == {} and len(self.nulls) == nulls else w

    @staticmethod
    def leaf(s):
        """A value of which the page says nothing, or a list of such."""
        bare = lambda s: not (s.members or s.variants or s.text or s.free or s.secret or s.names or s.kinds or s.url or s.hides or s.files or s.pairs or s.labels or s.words)
        return bare(s) and (s.elements is None or bare(s.elements) and s.elements.elements is None)

    def unknown_member(self, v, e, s, name, c):
        labels = s.labels
        if s.free:
            s = s.elements
        else:
            self.here(self.unknown)
            s = TOOL_PART if c.names == "tool" else UNKNOWN
        if e is None and not c.text:
            if not (self.t.own_nulls and len(self.trail) == 1):
                self.here(self.nulls)
            return ABSENT
        if s.free and s.names == "tool" and name in PLAIN and not c.hidden:
            s = TEXT
        if s.names and not labels:
            c = c.but(names=s.names).below(name, v)
        return self.value(e, s, c)

    # The request as a whole.
    def run(self, body, provider, target, headers, parents, named="", revision="", folder=None):
        t = self.t
        provider = provider or t.provider
        if t.providers and not any(self.provider_is(p, provider) for p in t.providers):
            raise Refused("provider")
        path, _, query = target.partition("?")
        model, location = self.path_model(path, provider, query) if target else ("", "")
        if bool(named) != t.caller_model or revision and not named or target and not t.paths:
            raise Refused("who names the model")
        model = named or model
        flags = self.flags(headers, query)
        root = read_yaml(body) if t.yaml else read_json(body)
        if t.envelope and isinstance(root, Obj) and root.has("jsonrpc"):
            if {k for k, _ in root} - {"jsonrpc", "id", t.envelope[1]}:
                raise Refused("envelope")
            root = root.get(t.envelope[1])
        if not isinstance(root, Obj):
            raise Refused("object")
        members = t.body.members
        spellings = self.check_names(root, members, t.body)
        parameters, constraints = {}, {}
        first, messages, tools = [], [], []
        name = None
        for key, v in root:
            k = spellings.get(key)
            key = k.name if k else key
            self.trail = [key]
            if key.startswith(("header:", "query:")):
                raise Refused("prefix")
            if isinstance(v, Obj) and str(v.get("mediaType")).lower() == SEALED:
                raise Refused("sealed")
            if k is None:
                w = self.unknown_member(root, v, t.body, key, Context())
                if w is not ABSENT:
                    parameters[key] = w
            elif folder and key == "include_path":
                pass
            elif k.to == "out" or k.to == "refused" and v is None:
                pass
            elif k.to == "refused":
                raise Refused("refused")
            elif k.to == "model" and v is None and t.stand_in:
                pass
            elif k.to == "model" and (v is not None or not model):
                if t.stand_in and str(v).startswith(t.stand_in + "/"):
                    raise Refused("stored prompt")
                if not isinstance(v, str) or isinstance(v, Number) or not self.bare(v):
                    raise Refused("model")
                v = self.bare(v)
                if not model:
                    name = v
                elif v != model:
                    if provider.split(":")[0] != "azure":
                        raise Refused("two models")
                    parameters["model"] = v
            elif v is None or k.to == "parameters" or k.to in ("prompt", "context") and v == [] and not isinstance(v, Obj) \
                    or (k.to == "message" or k.empty) and isinstance(v, list) and not v:
                w = self.member(root, v, k, Context())
                if w is not ABSENT:
                    parameters[key] = w
            elif k.to == "constraints":
                w = self.member(root, v, k, Context())
                if w is not ABSENT:
                    constraints[key] = w
            elif k.to == "prompt" and (not k.items or isinstance(v, list) and not isinstance(v, Obj)):
                if not isinstance(v, list) or isinstance(v, Obj):
                    raise Refused("list")
                for i, e in enumerate(v):
                    self.trail = [key, i]
                    if not isinstance(e, Obj):
                        raise Refused("message")
                    kind = e.get("type")
                    if k.items and (kind is not None and kind != "message" or kind is None and e.get("role") is None):
                        if kind is not None and (not isinstance(kind, str) or isinstance(kind, Number)):
                            raise Refused("type")
                        self.content(e)
                        messages.append({"role": "item/" + (kind or ""), "content": self.value(e, k.items, Context())})
                        continue
                    role = e.get("role")
                    if t.roleless and role is None:
                        self.content(e.get("content"))
                        messages.append({"role": "member/" + key, **self.value(e, k.shape.elements, Context())})
                        continue
                    if not isinstance(role, str) or isinstance(role, Number) or not role or role.startswith(("member/", "item/")):
                        raise Refused("role")
                    self.content(e.get("content"))
                    messages.append(self.value(e, k.shape.elements, Context()))
            elif k.to in ("message", "prompt"):
                self.content(v)
                first.append((key, {"role": "member/" + key, "content": self.member(root, v, k, Context())}))
            elif k.to == "context":
                if not isinstance(v, list) or isinstance(v, Obj):
                    raise Refused("list")
                if k.hides:
                    self.here(self.open, k.hides)
                for i, e in enumerate(v):
                    self.trail = [key, i]
                    if not isinstance(e, Obj):
                        raise Refused("tool")
                    n = self.tool_name(e, k.shape.elements)
                    if not n or clean_text(n) != n:
                        raise Refused("name")
                    text = self.value(e, k.shape.elements, Context(text=True))
                    tools.append((key, {"role": "tool", "name": n if key == "tools" else key + "/" + n, "content": text}))
        if t.one_of and sum(root.get(n) is not None for n in t.one_of) != 1:
            raise Refused("not one of")
        if t.args:
            holder = root.get(t.args_in) if t.args_in else root
            name, revision = self.model_of(holder if isinstance(holder, Obj) else Obj())
        if t.stand_in and name is None and not model:
            stored = root.get(t.stand_in)
            is_text = lambda v: isinstance(v, str) and not isinstance(v, Number)
            if not isinstance(stored, Obj) or not is_text(stored.get("id")) or not stored.get("id"):
                raise Refused("no model")
            name = t.stand_in + "/" + stored.get("id")
            revision = stored.get("version") if is_text(stored.get("version")) else ""
        for k in members.values():
            if k.to == "model" and name is not None:
                continue
            if k.required and not any(map(root.has, [k.name] + k.aliases)) and not (k.to == "model" and model):
                raise Refused("missing " + k.name)
        parameters.update(flags)
        if location:
            constraints["location"] = location
        order = lambda e: tuple((utf16(x) if isinstance(x, str) else x) for x in e[0])
        first.sort(key=lambda f: utf16(f[0]))
        tools.sort(key=lambda f: (f[0] != "tools", utf16(f[0])))
        context = [r for _, r in tools]
        for trail, r in sorted(self.binaries, key=order):
            context.append({**r, "name": pointer(trail)})
        context += folder or []
        says = {"api": t.api}
        for key, l in (("nulls", self.nulls), ("integers", self.integers), ("secrets", self.secrets)):
            if l:
                says[key] = [pointer(e[0]) for e in sorted(set(l), key=order)]
        d = {"schema": SCHEMA, "kind": t.kind, "model": {"name": model or name}, "parameters": parameters, "constraints": constraints,
             "context": context, "prompt": {}, "extensions": {INTERFACE: says}}
        if provider:
            d["model"]["provider"] = provider
        if revision:
            d["model"]["version"] = revision
        if first or messages:
            d["prompt"] = {"messages": [m for _, m in first] + messages}
        if parents:
            d["parents"] = parents
        self.open.sort(key=order)
        self.unknown.sort(key=lambda e: (not beside_body(e[0]), order(e)))
        return d

    def model_of(self, root):
        """The model of lm-eval's arguments, and its version."""
        names, given = ["pretrained", "model", "model_id", "deployment_id", "engine", "load", "path"], root.get("model_args")
        is_text = lambda v: isinstance(v, str) and not isinstance(v, Number)
        args = {}
        if given is not None and not is_text(given) and not isinstance(given, Obj):
            raise Refused("arguments")
        if isinstance(given, Obj):
            for k, v in given:
                if k in names + ["revision"] and v is not None:
                    if not is_text(v):
                        raise Refused("argument")
                    args[k] = v
        elif is_text(given):
            for piece in given.strip().split(","):
                k, _, v = piece.partition("=")
                v = v.strip()
                if k in args and k in names + ["revision"]:
                    raise Refused("twice")
                quoted = len(v) > 1 and v[0] == v[-1] and v[0] in "\"'"
                args[k] = v[1:-1] if quoted else "" if v.lower() == "none" else v
                if k in names + ["revision"] and not quoted and (v.lower() in ("true", "false") or self.is_float(v)):
                    raise Refused("not a string")
        found = {args[n] for n in names if args.get(n)}
        if len(found) > 1:
            raise Refused("two models")
        if found:
            return clean_text(found.pop()), clean_text(args.get("revision", ""))
        if is_text(root.get("model")) and root.get("model") == "dummy":
            return "dummy", ""
        raise Refused("no model")

    @staticmethod
    def is_float(s):
        try:
            return bool(s) and float(s) is not None
        except ValueError:
            return False

    def bare(self, name):
        rest = name.removeprefix(self.t.prefix)
        return name if "/" in rest else rest

    def provider_is(self, p, provider):
        if p.endswith("*"):
            return provider.startswith(p[:-1]) and re.fullmatch("[a-z0-9][a-z0-9-]*", provider[len(p) - 1:]) is not None
        return p == provider

    def path_model(self, path, provider, query=""):
        segments = [unquote(p) for p in path.removeprefix("/").split("/")]
        if re.search(r"[\\;#\x00-\x20\x7f]", path) or re.search("%(?![0-9A-Fa-f]{2})", path) or re.search("[;#]", query) or \
                any(p in ("", ".", "..") or re.search(r"[/\\%\x00-\x1f\x7f]", p) for p in segments):
            raise Refused("ambiguous path")
        for pattern, providers in self.t.paths:
            if pattern.startswith("..."):
                ok, names = path.endswith(pattern[3:]) and self.is_base(path[:len(path) - len(pattern) + 3]), {}
            else:
                r = re.escape(pattern).replace(r"\{model\}", "(?P<model>[^/]+)").replace(r"\{location\}", "(?P<location>[^/]+)")
                r = r.replace(r"\{", "(?P<model>").replace(r"\}", ")").replace(r"\*", "[^/]+")
                m = re.fullmatch(r, path)
                ok, names = m is not None, m.groupdict() if m else {}
            if ok:
                if providers and not any(self.provider_is(p, provider) for p in providers):
                    raise Refused("path of another provider")
                return [unquote(names.get(n) or "", errors="strict") if n != "model" else self.bare(unquote(names.get(n) or "", errors="strict")) for n in ("model", "location")]
        raise Refused("path")

    @staticmethod
    def is_base(before):
        words = "api|beta|compatible-mode|cortex|inference|openai|paas|serving-endpoints|v[0-9][0-9a-z]{0,15}"
        return re.fullmatch(f"(/({words}))*", before) is not None

    def flags(self, headers, query):
        lines, lower = {}, lambda s: re.sub("[A-Z]", lambda m: m[0].lower(), s)
        for name, value in headers:
            lines.setdefault(("header", lower(name)), []).append(value)
        for piece in query.split("&"):
            if piece:
                name, _, value = piece.partition("=")
                if re.search("%(?![0-9A-Fa-f]{2})", piece):
                    raise Refused("percent sign")
                lines.setdefault(("query", lower(unquote_plus(name))), []).append(unquote_plus(value, errors="surrogateescape"))
        out = {}
        for n in self.t.named:
            if any(kind == n["kind"] and name != n["name"] and fold(name) == n["name"] for kind, name in lines):
                raise Refused("case of other letters")
            l = lines.get((n["kind"], n["name"]), [])
            if any("\udc80" <= c <= "\udcff" for v in l for c in v):
                raise Refused("UTF-8")
            key = n["kind"] + ":" + n["name"]
            if n["flags"]:
                flags = sorted({f.strip(" \t") for v in l for f in v.split(",")} - {""} - set(n["drop"]), key=lambda f: f.encode())
                if flags:
                    out[key] = flags
                self.unknown += [((key,), ) for f in flags if f not in n["known"]]
            elif len(l) > 1:
                raise Refused("twice")
            elif l:
                out[key] = l[0].strip(" \t")
        return out

    def content(self, v):
        if isinstance(v, (bool, Number)):
            raise Refused("content")
        if isinstance(v, Obj) and str(v.get("mediaType")).lower() == SEALED:
            raise Refused("sealed")

    def tool_name(self, v, s):
        for place in self.t.tool_names + [["type"]]:
            at = v
            for name in place:
                at = at.get(name) if isinstance(at, Obj) else None
            if isinstance(at, str) and not isinstance(at, Number):
                return at
        spelled = {a: k for k in s.members.values() for a in [k.name] + k.aliases}
        return next((spelled[n].name if n in spelled else n for n, _ in v if n not in spelled or spelled[n].to != "out"), "")


def beside_body(trail):
    """Header lines and query members: a member of the body that is called so is an error."""
    return str(trail[0]).startswith(("header:", "query:")) if trail else False


def pointer(trail):
    return "".join("/" + str(s).replace("~", "~0").replace("/", "~1") for s in trail)


# Vectors.

def read_vector(path):
    head, _, body = path.read_bytes().partition(b"\n\n")
    return [tuple(l.split(": ", 1)) if ": " in l else (l.rstrip(":"), "") for l in head.decode().split("\n")], body


BATCHES = {  # the list, the body, the formats by path, flags that say that it is a batch
    "anthropic-batch/1": ("requests", "params", {"": "anthropic-messages/1"}, "message-batches-2024-09-24", ["/v1/messages/batches"]),
    "openai-batch/1": ("", "body", {"/chat/completions": "openai-chat/1", "/responses": "openai-responses/1", "/embeddings": "openai-embeddings/1"}, "",
                       ["/v1/files", "/openai/files", "/openai/v1/files"]),
}


def compute_batch(format_, head, body):
    listed, inside, formats, flag, paths = BATCHES[format_]
    if dict(head).get("target", paths[0]).partition("?")[0] not in paths:
        raise Refused("path")
    if listed:
        root = read_json(body)
        if not isinstance(root, Obj) or {k for k, _ in root} != {listed} or not isinstance(root.get(listed), list) or isinstance(root.get(listed), Obj):
            raise Refused("list")
        requests = root.get(listed)
    else:
        requests = [read_json(l.removesuffix(b"\r")) for l in body.split(b"\n") if l.removesuffix(b"\r")]
    if not requests:
        raise Refused("empty")
    ids, results = set(), []
    for r in requests:
        want = {"custom_id", inside} | (set() if listed else {"method", "url"})
        if not isinstance(r, Obj) or {k for k, _ in r} != want or not isinstance(r.get(inside), Obj):
            raise Refused("request")
        id_, url = r.get("custom_id"), r.get("url") or ""
        if not isinstance(id_, str) or isinstance(id_, Number) or not id_ or id_ in ids or not listed and r.get("method") != "POST":
            raise Refused("custom_id or method")
        ids.add(id_)
        name = next((f for end, f in formats.items() if url.partition("?")[0].endswith(end)), None)
        if name is None:
            raise Refused("url")
        lines = []
        for k, v in head:
            if k.startswith("header "):
                v = ",".join(f for f in v.split(",") if f.strip(" \t") != flag)
                if not v:
                    continue
            lines.append((k, v))
        lines = [(k, v) for k, v in lines if k != "target"] + [("target", url)]
        results.append(compute(name, lines, source(r.get(inside)).encode()))
    return {k: ("" if k == "canonical" else " ").join(r[k] for r in results if r[k] or k == "id") for k in results[0]}


def source(v):
    """The text of what was read."""
    if isinstance(v, Obj):
        return "{" + ",".join(string(k) + ":" + source(e) for k, e in v) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(source, v)) + "]"
    if isinstance(v, Number):
        return str(v)
    return json.dumps(v) if v is None or isinstance(v, bool) else string(v)


def compute_folder(format_, head, body):
    """The body is an object of texts by their paths. The lists are those of the format's specification, which reads
    folders as transformers, PEFT, diffusers and llama.cpp write them."""
    import fnmatch
    signs = ["config.json", "adapter_config.json", "model_index.json", "*.gguf"]
    dirs, files = [".git", ".cache", ".huggingface"], [".gitattributes", ".gitignore", ".DS_Store", "README.md"]
    weights = ["*." + e for e in "safetensors gguf bin pt pth ckpt h5 msgpack onnx onnx_data".split()]
    roles = [("code", ["*.py"]), ("adapter", ["adapter_*"]), ("tokenizer", ["tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json",
             "added_tokens.json", "spiece.model", "sentencepiece*", "*.tiktoken"]), ("template", ["chat_template*", "*.jinja"])]
    fits = lambda name, l: any(fnmatch.fnmatchcase(name, p) for p in l)
    get = lambda key: next((v for k, v in head if k == key), "")
    components, texts, elsewhere = [], dict(json.loads(body)), {}
    if not get("model") or not any(fits(p, signs) and "/" not in p for p in texts):
        raise Refused("no model")
    for p in sorted(texts, key=lambda p: p.encode()):
        *above, name = p.split("/")
        if above and above[0] in dirs or not above and fits(name, files):
            continue
        if name.endswith(".index.json"):
            for value in json.loads(texts[p]).get("weight_map", {}).values():
                named = posixpath.normpath("/".join([*above, value])).split("/")
                if len(named) == 1 and named[0] in files or len(named) > 1 and named[0] in dirs:
                    raise Refused("index")
        raw = texts[p].encode()
        if name.endswith("config.json") or name == "model_index.json":
            try:
                says, named = read_json(raw), {}
                if not isinstance(says, Obj):
                    raise Refused("object")
                is_text = lambda v: isinstance(v, str) and not isinstance(v, Number)
                if name == "adapter_config.json":
                    base = says.get("base_model_name_or_path")
                    named["base_model_name_or_path"] = base if is_text(base) else ""
                    if is_text(says.get("revision")):
                        named["revision"] = says.get("revision")
                if code := list(code_in(says, False)):
                    named["code"] = code
            except Refused:
                named = {"unread": True}
            if named:
                elsewhere[p] = named
        digest, size = hashlib.sha256(raw).hexdigest(), len(raw)
        if raw.startswith(b"version https://git-lfs.github.com/spec/v1") and len(raw) < 1024:
            if not fits(name, weights):
                raise Refused("pointer")
            m = re.fullmatch(rb"version https://git-lfs.github.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,15})\n", raw)
            if not m:
                raise Refused("pointer")
            digest, size = m[1].decode(), int(m[2])
        components.append({"role": next((r for r, l in roles if fits(name, l)), "other"), "name": p, "digest": {"sha256": digest}, "size": size})
    model = {"name": get("model"), "components": components}
    if get("revision"):
        model["version"] = get("revision")
    text = canonical({"schema": SCHEMA, "kind": "inference", "model": model, "prompt": {}, "parameters": elsewhere, "context": [],
                      "constraints": {}, "extensions": {INTERFACE: {"api": format_.partition("/")[0]}}})
    return {"id": "airun:1:sha256:" + hashlib.sha256(text.encode()).hexdigest(), "canonical": text, "unknown": "",
            "open": " ".join(pointer([p]) + "=model" for p, named in elsewhere.items() for n in named if n != "revision")}


def code_in(v, below):
    if isinstance(v, Obj):
        for name, e in v:
            yield from code_in(e, below or name in ("auto_map", "custom_pipelines"))
    elif isinstance(v, list):
        for e in v:
            yield from code_in(e, below)
    elif below and isinstance(v, str) and not isinstance(v, Number) and "--" in v:
        yield v


def compute(format_, head, body):
    if format_.startswith("hf-model/"):
        return compute_folder(format_, head, body)
    if format_ in BATCHES:
        return compute_batch(format_, head, body)
    table = read_table(format_)
    c = Capture(table)
    get = lambda key: next((v for k, v in head if k == key), "")
    headers = [(k[len("header "):], v) for k, v in head if k.startswith("header ")]
    folder = [{"role": "harness", "name": p, "digest": {"sha256": hashlib.sha256(text.encode()).hexdigest()}, "size": len(text.encode())}
              for p, text in sorted(json.loads(get("folder") or "{}").items(), key=lambda e: e[0].encode())
              if not p.startswith(".git/") and "__pycache__" not in p.split("/")[:-1] and ".ipynb_checkpoints" not in p.split("/")[:-1]
              and p not in (".gitattributes", ".gitignore", ".DS_Store")]
    if get("folder") and (not folder or any("git-lfs" in text for text in json.loads(get("folder")).values())):
        raise Refused("folder")
    d = c.run(body, get("provider"), get("target"), headers, get("parents").split(), get("model"), get("revision"), folder)
    text = canonical(d)
    where = lambda e: e[0][0] if beside_body(e[0]) else pointer(e[0])
    return {"id": "airun:1:sha256:" + hashlib.sha256(text.encode()).hexdigest(), "canonical": text,
            "open": " ".join(pointer(e[0]) + "=" + e[1].replace(" ", "") for e in c.open), "unknown": " ".join(where(e) for e in c.unknown)}


def main():
    mode, files = sys.argv[1], [Path(f) for f in sys.argv[2:]]
    if mode == "check":
        files = sorted(HERE.glob("*/*.vec"))
    bad = 0
    for f in files:
        head, body = read_vector(f)
        format_ = dict(head)["format"]
        try:
            got = compute(format_, head, body)
        except Refused as e:
            got = None
            reason = str(e)
        want_ok = dict(head)["expect"] == "ok"
        if (got is not None) != want_ok:
            print(f, "is refused: " + reason if got is None else "is accepted")
            bad += 1
            continue
        if got is None:
            continue
        if mode == "write":
            keep = [(k, v) for k, v in head if k not in got]
            lines = keep[:1] + [(k, v) for k, v in got.items() if v or k in ("id", "canonical")] + keep[1:]
            f.write_bytes("\n".join("%s: %s" % l for l in lines).encode() + b"\n\n" + body)
        elif any(dict(head).get(k, "") != v for k, v in got.items()):
            print(f, "differs:", {k: v for k, v in got.items() if dict(head).get(k, "") != v})
            bad += 1
    print(len(files), "vectors,", bad, "bad")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
