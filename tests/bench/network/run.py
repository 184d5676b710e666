#!/usr/bin/env python3
"""A network's training beside PyTorch, and one row's margin beside onnxruntime called from Python; one thread each.

  run.py [--rounds 3] [--bench PATH] [--torch PYTHON] [--onnx PYTHON]

40-256-256-1, 100,000 drawn rows, batches of 256, 5 passes, AdamW (fused in PyTorch). PYTHON is an interpreter that has
torch, or onnx and onnxruntime. Builds the bench itself (`cargo bench --bench network --no-run`) unless told where it is.
Exit 1 where a limit is missed: 1.5 times PyTorch's rows a CPU-second where there is AVX-512 (1.0 elsewhere), and
onnxruntime's time for one row.
"""
import argparse, json, os, statistics, subprocess, sys

TORCH = """
import json, time, torch
torch.set_num_threads(1); torch.manual_seed(1)
x = torch.randn(100000, 40)
y = (torch.rand(100000) < torch.sigmoid(x[:, 0] * x[:, 1] + x[:, 2] - x[:, 3])).float().reshape(-1, 1)
L, R = torch.nn.Linear, torch.nn.ReLU
model = torch.nn.Sequential(L(40, 256), R(), L(256, 256), R(), L(256, 1))
step = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2, fused=True)
loss, before = torch.nn.BCEWithLogitsLoss(), time.process_time()
for epoch in range(5):
    order = torch.randperm(100000)
    for at in range(0, 100000, 256):
        rows = order[at : at + 256]
        step.zero_grad(set_to_none=True); loss(model(x[rows]), y[rows]).backward(); step.step()
print(json.dumps({"rows_per_cpu_s": 500000 / (time.process_time() - before), "version": torch.__version__}))
"""

ONNX = """
import json, time, numpy, onnxruntime
from onnx import TensorProto, helper, numpy_helper
draws, tensors, nodes, name = numpy.random.default_rng(1), [], [], "x"
for number, (inputs, units) in enumerate([(40, 256), (256, 256), (256, 1)]):
    weights = (draws.standard_normal((inputs, units)) / inputs ** 0.5).astype("f")
    tensors += [numpy_helper.from_array(weights, f"w{number}"), numpy_helper.from_array(numpy.zeros(units, "f"), f"b{number}")]
    nodes.append(helper.make_node("Gemm", [name, f"w{number}", f"b{number}"], [f"s{number}"])); name = f"s{number}"
    if number < 2:
        nodes.append(helper.make_node("Relu", [name], [f"r{number}"])); name = f"r{number}"
ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", w]) for n, w in (("x", 40), (name, 1))]
graph = helper.make_graph(nodes, "m", ends[:1], ends[1:], tensors)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]); model.ir_version = 8
options = onnxruntime.SessionOptions(); options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
rows, times = draws.standard_normal((20000, 40)).astype("f"), []
for at in range(20000):
    before = time.perf_counter(); session.run(None, {"x": rows[at : at + 1]}); times.append(time.perf_counter() - before)
print(json.dumps({"one_row_us": 1e6 * float(numpy.median(times)), "version": onnxruntime.__version__}))
"""


def build():
    words = ["cargo", "bench", "--bench", "network", "--no-run", "--message-format", "json"]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    made = [json.loads(line) for line in lines if line.startswith("{")]
    return next(m["executable"] for m in made if m.get("executable") and m["target"]["name"] == "network")


def run(words):
    alone = dict(os.environ, OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", RAYON_NUM_THREADS="1")
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True, env=alone).stdout.splitlines()[-1])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--bench")
    options.add_argument("--torch", default=sys.executable)
    options.add_argument("--onnx", default=sys.executable)
    a = options.parse_args()
    bench = a.bench or build()
    trained, scored = [], []
    for number in range(a.rounds):
        ours, torch, onnx = run([bench]), run([a.torch, "-c", TORCH]), run([a.onnx, "-c", ONNX])
        trained.append(ours["rows_per_cpu_s"] / torch["rows_per_cpu_s"])
        scored.append(ours["one_row_us"] / onnx["one_row_us"])
        print(f"round {number}: {ours['rows_per_cpu_s']:,.0f} rows a CPU-second, torch {torch['version']} {torch['rows_per_cpu_s']:,.0f}, "
              f"ratio {trained[-1]:.2f}; one row {ours['one_row_us']:.2f} us, onnxruntime {onnx['version']} {onnx['one_row_us']:.2f}, "
              f"ratio {scored[-1]:.2f}; the default network over 200 columns: {ours['usual_row_us']:.1f} us a row, {ours['explain_us']:.0f} us explained", flush=True)
    wide = "avx512f" in open("/proc/cpuinfo").read()
    training, row, least = statistics.median(trained), statistics.median(scored), 1.5 if wide else 1.0
    print(f"median: training {training:.2f} times PyTorch (at least {least}), one row {row:.2f} of onnxruntime's time (at most 1)")
    sys.exit(0 if training >= least and row <= 1 else 1)


if __name__ == "__main__":
    main()
