"""From nothing to the first decision in a browser: what the README's first screen says, done and timed in an empty folder.
Starts `demo`, reads the page's address and the login from what it prints, logs in and decides, by keyboard alone.
Usage: first_decision.py --binary FILE"""
import argparse, json, os, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "acceptance"))
import box
import counter
from webdriver import Browser, Missing, Refused

START_SECONDS_MAX = 300


def start(binary, folder):
    """The demo as the README starts it; answers what it prints once it serves, and the process."""
    process = subprocess.Popen([binary, "demo"], cwd=folder, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    said, end = {}, time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < end and "password" not in said:
        line = process.stdout.readline()
        if not line:
            break
        word, _, rest = line.strip().partition(" ")
        if word in ("page", "login", "password"):
            said[word] = rest.split()[0]
    if "password" not in said:
        process.kill()
        raise counter.Broken("the demo named no page or no login")
    return process, said


def decide(said, row):
    with Browser() as browser:
        begun = time.monotonic()
        desk = counter.Desk(browser, said["page"].rstrip("/"), row)
        desk.open("/login")
        desk.log_in(said["login"], said["password"])
        case = desk.decide()
        return case, browser.strokes, time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tallystick-first-") as folder:
        begun = time.monotonic()
        process, said = start(os.path.abspath(arguments.binary), folder)
        try:
            ready = time.monotonic() - begun
            with open(os.path.join(folder, "tallystick-demo/row-loan-default.json")) as file:
                row = json.load(file)
            # Another applicant than the one the demo has just decided, and a share in percent, as an officer types it.
            row["loan_id"] = "L-first"
            row["int_rate"] = f"{row['int_rate'] * 100:.2f}"
            case, strokes, seconds = decide(said, row)
        finally:
            process.terminate()
            process.wait(60)
    print(f"from an empty folder to a page that serves: {ready:.1f} s")
    print(f"from there to the first decision, case {case}: {strokes} strokes, {seconds:.1f} s")
    print(f"in all {ready + seconds:.1f} s")


if __name__ == "__main__":
    try:
        main()
    except (Missing, box.Unavailable) as missing:
        print(f"NOT RUN HERE: {missing}", file=sys.stderr)
        sys.exit(7)
    except (counter.Broken, Refused) as broken:
        print(f"VIOLATED: {broken}", file=sys.stderr)
        sys.exit(1)
