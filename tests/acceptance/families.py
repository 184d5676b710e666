#!/usr/bin/env python3
"""Every family trained, loaded and deciding on each of the five demo projects, with the program itself.

  families.py --binary target/release/tallystick [--projects a,b] [--families a,b] [--rows N]

For each: `train`, the same digest on a second training, promotion, and one predicted row whose shares add up to its
margin. Prints AUC, log loss and CPU-seconds; exit 1 on the first thing that does not hold. Needs only Python.
"""
import argparse, json, os, resource, subprocess, sys, tempfile

PROJECTS = "loan-default,loan-approval,subscription-churn,bank-churn,course-completion"
FAMILIES = "baseline,logistic,scorecard,boosting,forest,mlp,ensemble"


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", default="target/release/tallystick")
    options.add_argument("--projects", default=PROJECTS)
    options.add_argument("--families", default=FAMILIES)
    options.add_argument("--rows")
    a = options.parse_args()
    binary = os.path.abspath(a.binary)
    with tempfile.TemporaryDirectory() as folder:
        def run(*words):
            done = subprocess.run([binary, "--json", "--home", f"{folder}/home", *words], capture_output=True, text=True, cwd=folder)
            if done.returncode:
                sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
            return json.loads(done.stdout)
        run("init")
        for project in a.projects.split(","):
            rows = ["--rows", a.rows] if a.rows else []
            run("demo", "data", "--project", project, "--out", f"{project}.csv", *rows)
            run("demo", "project", "--project", project, "--out", project)
            row = run("data", "row", project, f"{project}.csv", "5")["row"]
            open(f"{folder}/row.json", "w").write(json.dumps(row))
            for family in a.families.split(","):
                before = children_cpu()
                trained = run("train", project, "--data", f"{project}.csv", "--family", family)
                cpu = children_cpu() - before
                model = trained["model"]
                again = run("train", project, "--data", f"{project}.csv", "--family", family)["model"]
                if again["digest"] != model["digest"]:
                    sys.exit(f"{project} {family}: another digest on the second training")
                told = run("predict", f"{model['name']}@{model['version']}", "--row", "row.json")
                shares = sum(float(c["value"]) for c in told["contributions"])
                gap = abs(told["base"] + shares - told["margin"])
                if gap > 1e-9:
                    sys.exit(f"{project} {family}: shares miss the margin by {gap}")
                metrics = trained["metrics"]
                print(f"{project:20} {family:10} auc {metrics['auc']:.4f}  log loss {metrics['log_loss']:.4f}  cpu {cpu:.2f}  gap {gap:.1e}", flush=True)
    print("ok")


if __name__ == "__main__":
    main()
