"""What a script of this folder is asked, what it found, and how it says so: figures on stdout, exit 1 where anything
was violated and 7 where it could not run. Never measures anything itself.
"""
import argparse, json, os, signal, sys, tempfile, threading

import box
import wire

# Violations told in full; all are counted.
TOLD_MAX = 200


def parser_of(doc):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the tallystick to test (TALLYSTICK_TEST_BINARY, else target/debug, "
                                         "else target/release)")
    parser.add_argument("--json", action="store_true", help="one document in place of lines")
    parser.add_argument("--keep", action="store_true", help="leave the home and the server's log behind")
    parser.add_argument("--prove", action="store_true",
                        help="expect one thing that is wrong: a script that does not end with 1 then proves nothing")
    return parser


def note(text):
    print(f"acceptance: {text}", file=sys.stderr, flush=True)


class Verdict:
    def __init__(self):
        self.figures, self.violations, self.skipped = {}, [], []
        self.lock = threading.Lock()

    def figure(self, name, value):
        self.figures[name] = value

    def check(self, good, what):
        """Notes a violation unless all is well; `what` may be a function where telling is dear."""
        if not good:
            what = what() if callable(what) else what
            with self.lock:
                self.violations.append(what)
                count = len(self.violations)
            if count <= TOLD_MAX:
                note(f"VIOLATED: {what}")
        return good

    def skip(self, what):
        self.skipped.append(what)
        note(f"SKIPPED: {what}")

    def tell(self, as_json):
        if as_json:
            print(json.dumps({"figures": self.figures, "violations": self.violations, "skipped": self.skipped,
                              "load_average": os.getloadavg()[0]}, indent=1))
            return
        for name, value in self.figures.items():
            print(f"{name}: {shown(value)}")
        print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for what in self.skipped:
            print(f"SKIPPED: {what}")
        for what in self.violations[:TOLD_MAX]:
            print(f"VIOLATED: {what}")
        print("ok" if not self.violations else f"{len(self.violations)} violations")


def shown(value):
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def percentile(values, share):
    """The value below which this share of all lies; nothing of nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def cache_folder():
    folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tallystick")
    os.makedirs(folder, exist_ok=True)
    return folder


def run(args, examine):
    """Runs `examine(args, binary, work, verdict)` in a folder of its own and answers the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an exit, so that the servers that run are ended
    verdict = Verdict()
    try:
        binary = box.find_binary(args.binary)
        # In the cache and not in /tmp, which may be memory: a sync must be one.
        with folder_of_its_own(args.keep) as work:
            examine(args, binary, work, verdict)
    except box.Unavailable as e:
        note(f"COULD NOT RUN: {e}")
        return 7
    except (box.Failed, wire.Broken) as e:
        verdict.check(False, f"{type(e).__name__}: {e}")
    verdict.tell(args.json)
    return 1 if verdict.violations else 0


class folder_of_its_own:
    def __init__(self, keep):
        self.keep = keep
        self.folder = tempfile.TemporaryDirectory(prefix="acceptance-", dir=cache_folder())

    def __enter__(self):
        return self.folder.name

    def __exit__(self, *_):
        if self.keep:
            note(f"left behind: {self.folder.name}")
            self.folder._finalizer.detach()
        else:
            self.folder.cleanup()
