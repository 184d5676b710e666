"""Reads what Tallystick exports and checks form, digests, signatures and the tree (the golden rows are scored by
tallystick_scorer.py). A second implementation of docs/FORMATS.md: no code of the product, Python's standard library.
Usage:  tallystick_reader.py model DIR [--trust FILE]
        tallystick_reader.py checkpoint FILE --trust FILE --leaves FILE"""
import argparse, base64, hashlib, json, os, re, sys
from decimal import Decimal

class Refused(Exception): pass

def check(good, what):
    if not good:
        raise Refused(what)
    print("ok: " + what)

def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()

def lines_of(text):
    if not text.endswith("\n"):
        raise Refused("the last line does not end")
    return text[:-1].split("\n")

def b64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise Refused("base64 in another spelling: " + text)
    return data

# Canonical JSON (RFC 8785).

def number(value):
    value = float(value)
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    point, tail = len(digits) + exponent, ""  # the decimal point stands after that many digits
    if not -6 < point <= 21:
        point, tail = 1, "e%+d" % (point - 1)
    elif point <= 0:
        text, point = "0" * (1 - point) + text, 1
    whole, rest = text[:point].ljust(point, "0"), text[point:]
    return "-" * sign + whole + ("." + rest if rest else "") + tail

def canonical(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(n) + ":" + canonical(value[n]) for n in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)  # strings, true, false, null

def read_canonical(*parts):
    data = read(*parts)
    value = json.loads(data.decode("utf-8"))
    check(canonical(value).encode("utf-8") == data, parts[-1] + " is canonical JSON")
    return data, value

# Ed25519 (RFC 8032, section 5.1), verification only; points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(k, p):
    out = (0, 1, 1, 0)
    while k:
        out, p, k = add(out, p) if k & 1 else out, add(p, p), k >> 1
    return out

def point(data):
    y = int.from_bytes(data, "little")
    odd, y = y >> 255, y & (1 << 255) - 1
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (v * x * x - u) % P or (x == 0 and odd):
        return None
    x = P - x if x & 1 != odd else x
    return x, y, 1, x * y % P

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def ed25519(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(k, a))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))

# The trust root, and the two signed forms.

def trusted(path, role):
    trust = read_canonical(path)[1]
    check(trust["format"] == "tallystick.trust.v1", path + " is a trust root")
    keys = {key["key_id"]: b64(key["public_key"]) for key in trust["keys"]}
    for key_id, public in keys.items():
        check(hashlib.sha256(public).hexdigest()[:16] == key_id, "key %s is what its id says" % key_id)
    return trust["store_id"], {k["key_id"]: keys[k["key_id"]] for k in trust["keys"] if role in k["roles"]}

def signed(folder, noun, trust):
    payload = read_canonical(folder, noun + ".json")[0]
    envelope = read_canonical(folder, noun + ".dsse.json")[1]
    kind = "application/vnd.tallystick.%s+json" % noun
    check(envelope["payloadType"] == kind and b64(envelope["payload"]) == payload, "the envelope holds %s.json" % noun)
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    keys = trusted(trust, noun)[1]
    good = [s["keyid"] for s in envelope["signatures"] if s["keyid"] in keys
            and ed25519(keys[s["keyid"]], message, b64(s["sig"]))]
    check(good, "%s.json is signed by a key trusted for it %s" % (noun, good))
    return json.loads(payload)

def blobs(value):
    if isinstance(value, dict) and "digest" in value and "size" in value:
        yield value["digest"], value["size"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from blobs(inner)

def model(folder, trust):
    data, content = read_canonical(folder, "model.json")
    digest = hashlib.sha256(data).hexdigest()
    check(signed(folder, "release", trust)["model"] == digest, "the release names model " + digest)
    for name, size in sorted(set(blobs(content))):
        blob = read(folder, "blobs", name) if re.fullmatch("[0-9a-f]{64}", name) else b""
        check(len(blob) == size and hashlib.sha256(blob).hexdigest() == name, "blob %s has its %d bytes" % (name, size))
    if any(os.path.exists(os.path.join(folder, name)) for name in ("policy.json", "policy.dsse.json")):
        signed(folder, "policy", trust)

def root(leaves):
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()

def checkpoint(note, trust, leaves):
    store_id, keys = trusted(trust, "checkpoint")
    text, lines = read(note).decode("utf-8").split("\n\n")
    origin, size, stated = text.split("\n")
    check(origin == "tallystick/" + store_id, "the checkpoint is of the log " + origin)
    good = []
    for line in lines_of(lines):
        dash, name, blob = line.split(" ")
        for key_id, public in keys.items():
            head = hashlib.sha256(origin.encode() + b"\n\1" + public).digest()[:4]
            if (dash, name) == ("\u2014", origin) and b64(blob)[:4] == head:
                check(ed25519(public, (text + "\n").encode(), b64(blob)[4:]), "the line of key %s verifies" % key_id)
                good.append(key_id)
    check(good, "the checkpoint is signed by a key trusted for it %s" % good)
    data = [b64(line) for line in lines_of(read(leaves).decode())]
    check(str(len(data)) == size, "the log has %s records" % size)
    check(root(data) == b64(stated), "the records have the checkpoint's root " + stated)

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one, two = commands.add_parser("model"), commands.add_parser("checkpoint")
    one.add_argument("folder"), one.add_argument("--trust")
    two.add_argument("note"), two.add_argument("--trust", required=True), two.add_argument("--leaves", required=True)
    given = parser.parse_args()
    try:
        if given.command == "checkpoint":
            checkpoint(given.note, given.trust, given.leaves)
        else:
            model(given.folder, given.trust or os.path.join(given.folder, "trust.json"))
        return 0
    except Exception as error:  # what cannot be read to its end is refused, whatever it was
        print("refused: %s%s" % ("" if isinstance(error, Refused) else type(error).__name__ + ": ", error))
        return 1

if __name__ == "__main__":
    sys.exit(main())
