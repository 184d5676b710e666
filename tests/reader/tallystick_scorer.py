"""Scores the golden rows of an exported release, a second implementation of docs/FORMATS.md: no code of the product,
Python's standard library. Every margin must be the written one to the bit. Usage:  tallystick_scorer.py DIR"""
import bisect, hashlib, json, os, struct, sys


def read(folder, *parts):
    with open(os.path.join(folder, *parts), "rb") as file:
        return file.read()


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def place(cuts, x):
    """The bin of a number and how far it lies in it."""
    i = min(max(bisect.bisect_right(cuts, x) - 1, 0), len(cuts) - 2)
    return i, min(max((x - cuts[i]) / (cuts[i + 1] - cuts[i]), 0.0), 1.0)


def encode_number(how, cell):
    x = how["median"] if cell is None else cell
    if how["encode"] == "scale":
        deviation = how["deviation"]
        out = [min(max((x - how["mean"]) / deviation, -8.0), 8.0)] if deviation > 0 else []
    elif len(how["cuts"]) < 2:
        out = []
    else:
        n = len(how["cuts"])
        i, s = place(how["cuts"], x)
        if how["encode"] == "quantile":
            out = [(i + s) / (n - 1)]
        else:
            out = [1.0 if column < i else s if column == i else 0.0 for column in range(n - 1)]
    return out + [1.0 if cell is None else 0.0] if how["indicator"] else out


def encode_text(how, field, cell, width):
    out = [0.0] * width
    if how["encode"] == "one_hot":
        known = how["levels"]
        out[len(known) if cell is None else known.index(cell) if cell in known else len(known) + 1] = 1.0
    elif how["encode"] == "ordinal":
        order = how["order"]
        if cell in order:
            out[0] = order.index(cell) / (len(order) - 1) if len(order) > 1 else 0.0
        else:
            out = [0.5, 1.0]
    else:
        bucket = hashlib.sha256(field.encode() + b"\0" + (cell or "").encode()).digest()[:8]
        out[how["buckets"] if cell is None else int.from_bytes(bucket, "little") % how["buckets"]] = 1.0
    return out


def encode(recipe, row):
    columns = []
    for field in recipe["fields"]:
        how, cell = field["encoding"], row[field["field"]]
        if how["encode"] in ("scale", "quantile", "piecewise"):
            part = encode_number(how, cell)
        else:
            part = encode_text(how, field["field"], cell, field["width"])
        assert len(columns) == field["start"] and len(part) == field["width"], field["field"]
        columns += [single(value) for value in part]
    return columns


def weights(data):
    length = struct.unpack("<Q", data[:8])[0]
    tensors, base = json.loads(data[8 : 8 + length]), 8 + length
    out, shapes = {}, {}
    for name, tensor in tensors.items():
        begin, end = tensor["data_offsets"]
        form, size = {"F32": ("f", 4), "F64": ("d", 8)}[tensor["dtype"]]
        out[name] = struct.unpack("<%d%s" % ((end - begin) // size, form), data[base + begin : base + end])
        shapes[name] = tensor["shape"]
    return out, shapes


def sums(start, table, units, inputs):
    """A sum a unit: its start, then weight times input for each input in order; nothing is fused."""
    out = list(start)
    for i, value in enumerate(inputs):
        for unit in range(units):
            out[unit] += table[i * units + unit] * value
    return out


def network(recipe, tensors, shapes, columns):
    embedded = {int(name[10:]) for name in tensors if name.startswith("embedding.")}
    front = []
    for number, field in enumerate(recipe["fields"]):
        if number not in embedded:
            front += columns[field["start"] : field["start"] + field["width"]]
    for number in sorted(embedded):
        name, field = "embedding.%04d" % number, recipe["fields"][number]
        size = shapes[name][1]
        own = columns[field["start"] : field["start"] + field["width"]]
        front += sums([0.0] * size, tensors[name], size, own)
    layers = sum(name.startswith("layer.") for name in tensors)
    for number in range(layers):
        weights, bias = "layer.%02d" % number, "bias.%02d" % number
        assert shapes[weights][0] == len(front), weights
        front = sums(tensors[bias], tensors[weights], shapes[weights][1], front)
        if number + 1 < layers:
            front = [max(value, 0.0) for value in front]
    return front[0]


def margin(model, tensors, shapes, columns):
    if model["family"] == "baseline":
        return tensors["log_odds"][0]
    if model["family"] == "mlp":
        return network(model["recipe"], tensors, shapes, columns)
    total = tensors["bias"][0]
    for weight, value in zip(tensors["weights"], columns):
        total += weight * value
    return total


def main(folder):
    model = json.loads(read(folder, "model.json"))
    tensors, shapes = weights(read(folder, "blobs", model["weights"]["digest"]))
    golden = json.loads(read(folder, "blobs", model["golden"]["digest"]))
    names = [field["field"] for field in golden["fields"]]
    wrong = 0
    for number, row in enumerate(golden["rows"]):
        columns = encode(model["recipe"], dict(zip(names, row["cells"])))
        found = margin(model, tensors, shapes, columns)
        if found != row["margin"]:
            wrong += 1
            print("refused: golden row %d has the margin %r, not %r" % (number, found, row["margin"]))
    right = len(golden["rows"]) - wrong
    print("%s: %d of %d golden rows have their margin to the bit" % ("refused" if wrong else "ok", right, right + wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
