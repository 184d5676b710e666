"""Programs of others that look at the server: installed from PyPI into a virtual environment of their own, kept between
runs for as long as the list of them is the same. Never installs anything for the machine as a whole.
"""
import os, subprocess, sys

import box, verdict

WANTED = os.path.join(box.HERE, "requirements.txt")
INSTALL_SECONDS_MAX = 900


def program(name):
    """The path of a program of the environment."""
    return os.path.join(environment(), "bin", name)


def environment():
    folder = os.path.join(verdict.cache_folder(), "acceptance-venv")
    stamp = os.path.join(folder, "requirements.txt")
    with open(WANTED) as file:
        wanted = file.read()
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == wanted:
                return folder
    verdict.note(f"installing {', '.join(wanted.split())} into {folder}")
    try:
        run([sys.executable, "-m", "venv", folder])
        run([os.path.join(folder, "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "-r", WANTED])
    except (OSError, subprocess.SubprocessError) as e:
        said = getattr(e, "stderr", None) or str(e)
        raise box.Unavailable(f"the programs of {WANTED} cannot be installed here: {said[-400:].strip()}") from e
    with open(stamp, "w") as file:
        file.write(wanted)
    return folder


def run(command):
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX,
                   stdin=subprocess.DEVNULL)
