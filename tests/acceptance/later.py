"""A server whose clock is hours ahead: what runs out can be seen to run out. Never touches the machine's own clock."""
import os, shutil, subprocess

import box


class NoClock(Exception):
    """This machine cannot give a process another time, and why."""


def clock(work, hours):
    """The environment of a process that lives so many hours later."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        raise NoClock("there is no C compiler")
    library = os.path.join(work, "later.so")
    made = subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, os.path.join(box.HERE, "later.c")],
                          capture_output=True, text=True)
    if made.returncode != 0:
        raise NoClock(f"the other clock does not compile: {made.stderr[-300:]}")
    return {"LD_PRELOAD": library, "TALLYSTICK_TEST_SECONDS_AHEAD": str(hours * 3600)}
