"""Verifies a receipt: form, leaf, inclusion proof, checkpoint. A second implementation of docs/FORMATS.md: no code of
the product, Python's standard library, and the forms that tallystick_reader.py already reads.
Usage:  tallystick_receipt.py FILE... (--trust FILE | --key BASE64) [--every-bit]
With --every-bit, each file with any one bit flipped must be refused as well."""
import argparse, base64, hashlib, json, re, sys
from tallystick_reader import Refused, b64, canonical, ed25519, lines_of, read, trusted

RECEIPT = {"case", "checkpoint", "format", "header", "index", "proof"}
HEADER = {"actor", "body_sha256", "kind", "quality", "seq", "subject", "time_ms"}
FACTS = {"band", "by", "case", "flags", "id", "latency_us", "model", "name", "outcome", "policy", "release", "version"}
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"

def need(good, what):
    if not good:
        raise Refused(what)

def parse(data, what):
    value = json.loads(data.decode("utf-8"))
    need(canonical(value).encode("utf-8") == data, what + " is not canonical JSON")
    return value

def sha256(data):
    return hashlib.sha256(data).digest()

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
WORDS = ['{"case":"',
         '","checkpoint":"tallystick/',
         '\\n\\n— tallystick/',
         '\\n","format":"tallystick.receipt.v1","header":"{\\"actor\\":{\\"name\\":\\"',
         '\\",\\"role\\":\\"',
         '\\"},\\"body_sha256\\":\\"',
         '\\",\\"decision\\":{\\"band\\":',
         ',\\"by\\":\\"band\\",\\"case\\":\\"',
         ',\\"by\\":\\"',
         '\\",\\"case\\":\\"',
         '\\",\\"flags\\":[',
         '],\\"id\\":\\"',
         '\\",\\"latency_us\\":',
         ',\\"model\\":\\"',
         '\\",\\"name\\":\\"',
         '\\",\\"outcome\\":\\"',
         '\\",\\"policy\\":\\"',
         '\\",\\"release\\":\\"',
         '\\",\\"version\\":',
         '},\\"kind\\":\\"decision_made\\",\\"quality\\":\\"local\\",\\"seq\\":',
         '},\\"kind\\":\\"',
         '\\",\\"quality\\":\\"',
         ',\\"subject\\":\\"case/',
         '\\",\\"time_ms\\":',
         '}","index":',
         ',"proof":["',
         '","',
         '"]}']

def unbase45(text):
    out = bytearray()
    for at in range(0, len(text), 3):
        group = [BASE45.index(sign) for sign in text[at:at + 3]]
        need(len(group) > 1, "base45 that breaks off")
        number = sum(digit * 45 ** place for place, digit in enumerate(group))
        out += number.to_bytes(len(group) - 1, "big")
    return bytes(out)

def unpack(packed):
    """The bytes of a receipt's file, from those that its text holds."""
    out, at = bytearray(), 0
    while at < len(packed):
        token, at = packed[at], at + 1
        length = {0: 32, 1: 16, 2: 32, 3: 68}.get(token, 0)
        value, at = packed[at:at + length], at + length
        need(len(value) == length, "a packed value breaks off")
        if token == 0:
            out += value.hex().encode()
        elif token == 1:
            digits = value.hex()
            out += "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]]).encode()
        elif token in (2, 3):
            out += base64.b64encode(value)
        else:
            out += WORDS[token - 4].encode("utf-8") if token - 4 < len(WORDS) else bytes([token])
    return bytes(out)

def opened(data):
    """A receipt's file, or the text of its QR code, as the file's bytes."""
    mark = b"TALLY1:"
    return unpack(unbase45(data.decode("ascii").rstrip("\r\n")[len(mark):])) if data.startswith(mark) else data

def check_case(case):
    need(re.fullmatch("[0-9]{4}-[0-9]{2}-([0-9]{5}|[1-9][0-9]{5,8})-[A-Z]", case), "no case number: " + case)
    total = 0
    for digit in re.sub("[^0-9]", "", case):
        total = (total + int(digit)) * 2 % 23
    need(case[-1] == LETTERS[total], "the check letter of " + case + " is wrong")

def check_header(header):
    decides, predicts = header["kind"] == "decision_made", header["kind"] == "prediction_made"
    need(set(header) == HEADER | ({"decision"} if decides or predicts else set()), "the header has other members")
    if not (decides or predicts):
        return None
    facts = header["decision"]
    need(set(facts) == FACTS and facts["flags"] == sorted(set(facts["flags"])), "the decision has other members")
    need(re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", facts["id"]), "no id")
    if predicts:
        need(facts["case"] is None and header["subject"] == "prediction/" + facts["id"], "another prediction's subject")
    else:
        check_case(facts["case"])
        need(header["subject"] == "case/" + facts["case"], "another case's subject")
    return facts["case"]

def climb(leaf, index, size, proof):
    """RFC 9162, section 2.1.3.2."""
    need(index < size, "the record is not in a log of %d" % size)
    node, last = index, size - 1
    for sibling in proof:
        need(last > 0, "the proof is too long")
        if node & 1 or node == last:
            leaf = sha256(b"\1" + sibling + leaf)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            leaf = sha256(b"\1" + leaf + sibling)
        node, last = node >> 1, last >> 1
    need(last == 0, "the proof is too short")
    return leaf

def signed_by(note, origin, keys):
    text, lines = note.split("\n\n")
    lines = lines_of(lines)
    need(1 <= len(lines) <= 16, "too many signatures")
    good = None
    for line in lines:
        dash, name, blob = line.split(" ")
        need(dash == "\u2014", "no signature line")
        for key_id, public in keys.items():
            if name == origin and b64(blob)[:4] == sha256(origin.encode() + b"\n\1" + public)[:4]:
                need(ed25519(public, (text + "\n").encode(), b64(blob)[4:]), "the signature does not verify")
                good = key_id
    need(good, "no trusted key signed the checkpoint")
    return good

def receipt(data, store_id, keys):
    """The header, the log's size and the key's id, if the receipt holds."""
    need(len(data) <= 65536, "too large")
    value = parse(data, "the receipt")
    need(set(value) == RECEIPT and value["format"] == "tallystick.receipt.v1", "not a receipt of this format")
    header = parse(value["header"].encode("utf-8"), "the header")
    need(value["case"] == check_header(header), "the receipt is for another case than its record")
    need(type(value["index"]) is int and value["index"] == header["seq"], "the receipt is for another record")
    need(len(value["proof"]) <= 64 and all(re.fullmatch("[0-9a-f]{64}", h) for h in value["proof"]), "no proof")
    origin, size, root = value["checkpoint"].split("\n\n")[0].split("\n")
    need(re.fullmatch("tallystick/[a-z0-9-]{1,64}", origin), "no log of a store")
    need(store_id is None or origin == "tallystick/" + store_id, "the receipt is of another log")
    need(re.fullmatch("0|[1-9][0-9]{0,15}", size), "no size")
    leaf = sha256(b"\0" + value["header"].encode("utf-8"))
    found = climb(leaf, header["seq"], int(size), [bytes.fromhex(h) for h in value["proof"]])
    need(found == b64(root), "the record is not under the checkpoint's root")
    return header, int(size), signed_by(value["checkpoint"], origin, keys)

def flips(data, store_id, keys):
    for bit in range(len(data) * 8):
        other = bytearray(data)
        other[bit // 8] ^= 1 << bit % 8
        try:
            receipt(bytes(other), store_id, keys)
        except Exception:
            continue
        raise Refused("with bit %d flipped it is accepted" % bit)
    return len(data) * 8

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+"), parser.add_argument("--trust"), parser.add_argument("--key")
    parser.add_argument("--every-bit", action="store_true")
    given = parser.parse_args()
    try:
        if given.trust:
            store_id, keys = trusted(given.trust, "checkpoint")
        else:
            store_id, keys = None, {sha256(b64(given.key)).hex()[:16]: b64(given.key)}
        for path in given.files:
            data = opened(read(path))
            header, size, key_id = receipt(data, store_id, keys)
            outcome = (header.get("decision") or {}).get("outcome")
            print("ok: record %d, %s, outcome %s, by %s, under %d records, signed by %s"
                  % (header["seq"], header["subject"], outcome, header["actor"]["name"], size, key_id))
            if given.every_bit:
                print("ok: each of its %d flipped bits is refused" % flips(data, store_id, keys))
        return 0
    except Exception as error:  # what cannot be read to its end is refused, whatever it was
        print("refused: %s%s" % ("" if isinstance(error, Refused) else type(error).__name__ + ": ", error))
        return 1

if __name__ == "__main__":
    sys.exit(main())
