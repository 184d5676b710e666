#!/usr/bin/env python3
"""The usual Python scoring server: FastAPI, uvicorn (uvloop, httptools), pydantic and an ONNX model, in one process.

  fastapi_app.py --port N --cert cert.pem --key key.pem --model model.onnx

Owns the peer that `run.py` compares with. Its model is a small network with invented weights, 40 -> 64 -> 1, made here
when the file is missing. It never checks a key, keeps no record and gives the same three reasons to everybody.
"""
import argparse, math, os
from typing import Literal, Optional

import numpy as np
import onnx
import onnxruntime
import uvicorn
from fastapi import FastAPI
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel, ConfigDict, Field

WIDTH, HIDDEN = 40, 64
NUMBERS = ["annual_inc", "delinq_2yrs", "dti", "inq_last_6mths", "installment", "int_rate", "loan_amnt",
           "mths_since_last_delinq", "open_acc", "pub_rec", "revol_bal", "revol_util", "term", "total_acc"]
GRADES, HOMES = "ABCDEFG", ("MORTGAGE", "OWN", "RENT", "OTHER", "NONE", "ANY")


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    loan_id: str = Field(min_length=1, max_length=64)
    loan_amnt: int = Field(ge=500, le=40000)
    term: int = Field(ge=12, le=84)
    int_rate: float = Field(ge=0, le=0.4)
    installment: float = Field(ge=5, le=2500)
    grade: Literal["A", "B", "C", "D", "E", "F", "G"]
    sub_grade: str
    purpose: str
    verification_status: Optional[str] = None
    home_ownership: str
    annual_inc: Optional[float] = None
    addr_state: Optional[str] = None
    dti: Optional[float] = None
    delinq_2yrs: Optional[float] = None
    earliest_cr_line: Optional[str] = None
    emp_length: Optional[str] = None
    emp_title: Optional[str] = None
    inq_last_6mths: Optional[float] = None
    issue_d: Optional[str] = None
    mths_since_last_delinq: Optional[float] = None
    open_acc: Optional[float] = None
    pub_rec: Optional[float] = None
    revol_bal: Optional[float] = None
    revol_util: Optional[float] = None
    total_acc: Optional[float] = None


class Reason(BaseModel):
    field: str
    text: str


class Answer(BaseModel):
    id: str
    model: str
    policy: str
    decision: str
    probability: float
    reasons: list[Reason]


REASONS = [Reason(field="open_acc", text="There are many open credit lines."),
           Reason(field="int_rate", text="The loan was priced at a high rate because of its risk."),
           Reason(field="inq_last_6mths", text="There were many credit inquiries in the last six months.")]


def make_model(path):
    random = np.random.default_rng(7)
    weights = {"w1": random.normal(0, 0.2, (WIDTH, HIDDEN)), "b1": np.zeros(HIDDEN),
               "w2": random.normal(0, 0.2, (HIDDEN, 1)), "b2": np.zeros(1)}
    nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
             helper.make_node("Gemm", ["r", "w2", "b2"], ["m"]), helper.make_node("Sigmoid", ["m"], ["p"])]
    graph = helper.make_graph(
        nodes, "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, WIDTH])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def features(row):
    x = np.zeros((1, WIDTH), dtype=np.float32)
    for place, name in enumerate(NUMBERS):
        value = getattr(row, name)
        x[0, place] = math.log1p(value) if value is not None and value > 0 else 0.0
    x[0, len(NUMBERS) + GRADES.index(row.grade)] = 1.0
    if row.home_ownership in HOMES:
        x[0, len(NUMBERS) + len(GRADES) + HOMES.index(row.home_ownership)] = 1.0
    return x


def app_with(session):
    app = FastAPI(openapi_url=None)

    @app.post("/v1/models/loan-default/decisions", response_model=Answer)
    async def decide(row: Row):
        probability = float(session.run(["p"], {"x": features(row)})[0][0, 0])
        return Answer(id=row.loan_id, model="loan-default@1", policy="132b0d9cb04b",
                      decision="decline" if probability > 0.5 else "approve", probability=probability,
                      reasons=REASONS)

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    for name in ("cert", "key", "model"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    if not os.path.exists(args.model):
        make_model(args.model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    uvicorn.run(app_with(session), host="127.0.0.1", port=args.port, loop="uvloop", http="httptools",
                ssl_certfile=args.cert, ssl_keyfile=args.key, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
