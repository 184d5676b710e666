"""Scores the golden rows of an exported release, a second implementation of docs/FORMATS.md: no code of the product,
Python's standard library. Every margin must be the written one to the bit. Usage:  tallystick_scorer.py DIR [EXPLAINED]

EXPLAINED is what the product said of the first golden rows, measured from `background`, {"rows":[{"probability",
"base","fields":{field:contribution}}]}: all of it must be found again, but for rounding (1e-9)."""
import bisect, hashlib, json, math, os, struct, sys


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


def code_of(how, cell):
    if cell is None:
        return 0
    if how["code"] == "bins":
        return 1 + bisect.bisect_left(how["cuts"], cell)
    if how["code"] == "order":
        return how["order"].index(cell) + 1 if cell in how["order"] else 0
    known = how["levels"]
    return (known.index(cell) if cell in known else len(known)) + 1


def codes_there_are(how):
    return {"bins": lambda: len(how["cuts"]) + 2, "order": lambda: len(how["order"]) + 1,
            "levels": lambda: len(how["levels"]) + 2}[how["code"]]()


def coded(recipe):
    """The fields that have codes, as what they are made by, in the order of their columns."""
    found = [field["code"] for field in recipe["fields"] if "code" in field]
    assert [code["column"] for code in found] == [recipe["width"] + rank for rank in range(len(found))]
    return [code["of"] for code in found]


def encode(recipe, row):
    """The columns of the encodings, and the codes behind them."""
    columns, codes = [], []
    for field in recipe["fields"]:
        how, cell = field["encoding"], row[field["field"]]
        if how["encode"] == "none":
            part = []
        elif how["encode"] in ("scale", "quantile", "piecewise"):
            part = encode_number(how, cell)
        else:
            part = encode_text(how, field["field"], cell, field["width"])
        assert len(columns) == field["start"] and len(part) == field["width"], field["field"]
        columns += [single(value) for value in part]
        if "code" in field:
            codes.append(code_of(field["code"]["of"], cell))
    return columns, codes


def mean_row(recipe, values):
    """A mean row's means of columns, and for each code column the shares of its codes."""
    hows = coded(recipe)
    means, at, shares = values[: recipe["width"]], recipe["width"] + len(hows), []
    for how in hows:
        shares.append(values[at : at + codes_there_are(how)])
        at += codes_there_are(how)
    assert at == len(values)
    return means, shares


def weights(data):
    length = struct.unpack("<Q", data[:8])[0]
    tensors, base = json.loads(data[8 : 8 + length]), 8 + length
    forms = {"U8": ("B", 1), "F32": ("f", 4), "U32": ("I", 4), "I32": ("i", 4), "F64": ("d", 8), "U64": ("Q", 8)}
    out, shapes = {}, {}
    for name, tensor in tensors.items():
        begin, end = tensor["data_offsets"]
        form, size = forms[tensor["dtype"]]
        out[name] = struct.unpack("<%d%s" % ((end - begin) // size, form), data[base + begin : base + end])
        shapes[name] = tensor["shape"]
    return out, shapes


class Baseline:
    def __init__(self, data, recipe):
        self.log_odds = weights(data)[0]["log_odds"][0]

    def margin(self, columns, codes):
        return self.log_odds

    def explain(self, columns, codes, means, shares):
        return self.log_odds, [0.0] * len(columns), [0.0] * len(codes)


class Line:
    def __init__(self, data, recipe):
        tensors = weights(data)[0]
        self.bias, self.weights = tensors["bias"][0], tensors["weights"]

    def margin(self, columns, codes):
        total = self.bias
        for weight, value in zip(self.weights, columns):
            total += weight * value
        return total

    def explain(self, columns, codes, means, shares):
        base = self.margin(means, codes)
        own = [weight * (value - mean) for weight, value, mean in zip(self.weights, columns, means)]
        return base, own, [0.0] * len(codes)


def sums(start, table, units, inputs):
    """A sum a unit: its start, then weight times input for each input in order; nothing is fused."""
    out = list(start)
    for i, value in enumerate(inputs):
        for unit in range(units):
            out[unit] += table[i * units + unit] * value
    return out


class Network:
    """Its contributions, an integral along a way, are not found again here."""

    def __init__(self, data, recipe):
        self.recipe = recipe
        self.tensors, self.shapes = weights(data)

    def margin(self, columns, codes):
        tensors, shapes = self.tensors, self.shapes
        embedded = {int(name[10:]) for name in tensors if name.startswith("embedding.")}
        front = []
        for number, field in enumerate(self.recipe["fields"]):
            if number not in embedded:
                front += columns[field["start"] : field["start"] + field["width"]]
        for number in sorted(embedded):
            name, field = "embedding.%04d" % number, self.recipe["fields"][number]
            size = shapes[name][1]
            own = columns[field["start"] : field["start"] + field["width"]]
            front += sums([0.0] * size, tensors[name], size, own)
        members = shapes["layer.00"][0] if len(shapes["layer.00"]) == 3 else 1
        total = self.member(0, members, front)
        for member in range(1, members):
            total += self.member(member, members, front)
        return total / members

    def member(self, member, members, values):
        layers = sum(name.startswith("layer.") for name in self.tensors)
        for number in range(layers):
            layer, bias = "layer.%02d" % number, "bias.%02d" % number
            inputs, units = self.shapes[layer][-2:]
            assert self.shapes[layer][:-2] == ([members] if members > 1 else []) and inputs == len(values), layer
            table = self.tensors[layer][member * inputs * units : (member + 1) * inputs * units]
            values = sums(self.tensors[bias][member * units : (member + 1) * units], table, units, values)
            if number + 1 < layers:
                values = [max(value, 0.0) for value in values]
        return values[0]


class Trees:
    def __init__(self, data, recipe):
        tensors = weights(data)[0]
        self.base = tensors["base"][0]
        self.codes = [codes_there_are(how) for how in coded(recipe)]
        sets = iter(tensors["set"])
        lines = zip(tensors["branch.column"], tensors["branch.split"], tensors["branch.left"], tensors["branch.right"])
        branches = [(column, self.lefts(column, split, sets), left, right) for column, split, left, right in lines]
        assert next(sets, None) is None
        self.trees, branch, leaf = [], 0, 0
        for many, leaves in zip(tensors["tree.branches"], tensors["tree.leaves"]):
            values = tensors["leaf.value"][leaf : leaf + leaves]
            self.trees.append((branches[branch : branch + many], values))
            branch, leaf = branch + many, leaf + leaves
        assert branch == len(branches) and leaf == len(tensors["leaf.value"]) == len(tensors["leaf.rows"])

    def lefts(self, column, split, sets):
        """The codes that go left."""
        every = range(self.codes[column])
        if split == 512:
            bits = sum(next(sets) << 64 * word for word in range(4))
            assert bits < 1 << self.codes[column]
            return frozenset(code for code in every if bits >> code & 1)
        assert split < 512 and split % 256 < self.codes[column]
        return frozenset(code for code in every if (code <= split % 256 if code else split >= 256))

    def margin(self, columns, codes):
        total = self.base
        for branches, values in self.trees:
            at = 0 if branches else -1
            while at >= 0:
                column, lefts, left, right = branches[at]
                at = left if codes[column] in lefts else right
            total += values[-1 - at]
        return total

    def leaves(self):
        """Each leaf's value, and for each column its way asks, the codes that come through."""
        for branches, values in self.trees:
            waiting = [(0 if branches else -1, {})]
            while waiting:
                at, asked = waiting.pop()
                if at < 0:
                    yield values[-1 - at], asked
                    continue
                column, lefts, left, right = branches[at]
                held = asked.get(column, frozenset(range(self.codes[column])))
                waiting.append((left, {**asked, column: held & lefts}))
                waiting.append((right, {**asked, column: held - lefts}))

    def explain(self, columns, codes, means, shares):
        base, own = self.base, [0.0] * len(codes)
        for value, asked in self.leaves():
            chances = {column: sum(shares[column][code] for code in held) for column, held in asked.items()}
            met = {column: codes[column] in held for column, held in asked.items()}
            base += value * math.prod(chances.values())
            for column in asked:
                # How often s of the other columns are known, and what the leaf is worth then.
                others = [1.0]
                for other in asked:
                    if other != column:
                        raised = [0.0] + (others if met[other] else [0.0] * len(others))
                        others = [a * chances[other] + b for a, b in zip(others + [0.0], raised)]
                n = len(asked)
                worth = sum(x / (n * math.comb(n - 1, known)) for known, x in enumerate(others))
                own[column] += value * ((1.0 if met[column] else 0.0) - chances[column]) * worth
        return base, [0.0] * len(columns), own


class Scorecard:
    def __init__(self, data, recipe):
        tensors = weights(data)[0]
        self.intercept, self.parts = tensors["intercept"][0], []
        places = sorted(int(name[4:]) for name in tensors if name.startswith("woe."))
        assert len(places) == len(tensors["coefficients"])
        for place, coefficient in zip(places, tensors["coefficients"]):
            woe, bins = tensors["woe.%04d" % place], tensors["bins.%04d" % place]
            assert len(bins) == codes_there_are(coded(recipe)[place])
            self.parts.append((place, [coefficient * woe[one] for one in bins]))

    def margin(self, columns, codes):
        total = self.intercept
        for place, worths in self.parts:
            total += worths[codes[place]]
        return total

    def explain(self, columns, codes, means, shares):
        base, own = self.intercept, [0.0] * len(codes)
        for place, worths in self.parts:
            expected = sum(worth * share for worth, share in zip(worths, shares[place]))
            base += expected
            own[place] = worths[codes[place]] - expected
        return base, [0.0] * len(columns), own


class Ensemble:
    def __init__(self, data, recipe):
        tensors = weights(data)[0]
        self.bias = tensors["bias"][0]
        names = sorted(name for name in tensors if name.startswith("member."))
        assert [int(name.split(".")[1]) for name in names] == list(range(len(tensors["weights"])))
        own = [FAMILIES[name.split(".")[2]](bytes(tensors[name]), recipe) for name in names]
        self.members = list(zip(tensors["weights"], own))

    def margin(self, columns, codes):
        total = self.bias
        for weight, member in self.members:
            total += weight * member.margin(columns, codes)
        return total

    def explain(self, columns, codes, means, shares):
        base, of_columns, of_codes = self.bias, [0.0] * len(columns), [0.0] * len(codes)
        for weight, member in self.members:
            own_base, own_columns, own_codes = member.explain(columns, codes, means, shares)
            base += weight * own_base
            of_columns = [a + weight * b for a, b in zip(of_columns, own_columns)]
            of_codes = [a + weight * b for a, b in zip(of_codes, own_codes)]
        return base, of_columns, of_codes


FAMILIES = {"baseline": Baseline, "logistic": Line, "mlp": Network, "boosting": Trees, "forest": Trees,
            "scorecard": Scorecard, "ensemble": Ensemble}


def probability(curve, margin):
    if curve["method"] == "platt":
        z = curve["slope"] * margin + curve["intercept"]
    else:
        rest = math.log1p(math.exp(-abs(margin)))
        z = curve["a"] * (min(margin, 0.0) - rest) + curve["b"] * (max(margin, 0.0) + rest) + curve["c"]
    if z >= 0.0:
        return 1.0 / (1.0 + math.exp(-z))
    return math.exp(z) / (1.0 + math.exp(z))


def explained_wrongly(model, scorer, row, told):
    """What of an explanation is not found again, if anything."""
    recipe = model["recipe"]
    columns, codes = row
    base, of_columns, of_codes = scorer.explain(columns, codes, *mean_row(recipe, model["background"]))
    found = {"probability": probability(model["calibration"], scorer.margin(columns, codes)), "base": base}
    said = {"probability": told["probability"], "base": told["base"], **told["fields"]}
    for field in recipe["fields"]:
        value = sum(of_columns[field["start"] : field["start"] + field["width"]])
        if "code" in field:
            value += of_codes[field["code"]["column"] - recipe["width"]]
        found[field["field"]] = value
    assert found.keys() == said.keys()
    return [(name, found[name], said[name]) for name in found if not abs(found[name] - said[name]) <= 1e-9]


def main(folder, explained=None):
    model = json.loads(read(folder, "model.json"))
    data = read(folder, "blobs", model["weights"]["digest"])
    scorer = FAMILIES[model["family"]](data, model["recipe"])
    golden = json.loads(read(folder, "blobs", model["golden"]["digest"]))
    names = [field["field"] for field in golden["fields"]]
    told = json.loads(read(explained))["rows"] if explained else []
    wrong = unexplained = 0
    for number, row in enumerate(golden["rows"]):
        columns, codes = encode(model["recipe"], dict(zip(names, row["cells"])))
        found = scorer.margin(columns, codes)
        if found != row["margin"]:
            wrong += 1
            print("refused: golden row %d has the margin %r, not %r" % (number, found, row["margin"]))
        for name, found, said in explained_wrongly(model, scorer, (columns, codes), told[number]) if number < len(told) else []:
            unexplained += 1
            print("refused: golden row %d has the %s %r, not %r" % (number, name, found, said))
    right = len(golden["rows"]) - wrong
    print("%s: %d of %d golden rows have their margin to the bit" % ("refused" if wrong else "ok", right, right + wrong))
    if told and not unexplained:
        print("ok: %d golden rows have their probability, base and contributions" % len(told))
    return 1 if wrong or unexplained else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
