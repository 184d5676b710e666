#!/usr/bin/env python3
"""What TLS the server speaks, as sslyze sees it.

  tls_profile.py

Needs sslyze (installed from PyPI into a virtual environment). With a certificate of a bank's own authority the server
must keep Mozilla's configuration "modern" in every point. With the certificate it makes itself it misses two points
and no other: nobody stands behind it but itself, and it is good for 397 days and not for 90. By default TLS 1.3 is all
there is; with `tls.min = "1.2"` there are 1.2 and 1.3, with forward secrecy and authenticated encryption only, and
Mozilla's "intermediate" is kept. Exit 1 on any violation.
"""
import json, os, shutil, subprocess, sys

import box, scanners, verdict

SCAN_SECONDS_MAX = 300
OF_ITSELF = {"certificate_path_validation", "maximum_certificate_lifespan"}
SUITES_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
VERSIONS = {"SSL 2.0": "ssl_2_0", "SSL 3.0": "ssl_3_0", "TLS 1.0": "tls_1_0", "TLS 1.1": "tls_1_1",
            "TLS 1.2": "tls_1_2", "TLS 1.3": "tls_1_3"}


class Scan:
    """One look at one server."""

    def __init__(self, work, server, profile, authority):
        out = os.path.join(work, "sslyze.json")
        command = [scanners.program("sslyze"), f"--mozilla_config={profile}", f"--json_out={out}",
                   f"--certinfo_ca_file={authority}", f"localhost:{server.port}"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SCAN_SECONDS_MAX)
        with open(out) as file:
            document = json.load(file)
        self.result = document["server_scan_results"][0]["scan_result"]
        if self.result is None or ended.returncode not in (0, 1):
            raise box.Unavailable(f"sslyze could not look: {ended.stdout[-600:]} {ended.stderr[-300:]}")
        self.is_compliant = ended.returncode == 0
        marked = [line.strip()[2:] for line in ended.stdout.splitlines() if line.startswith("        * ")]
        self.missed = {line.split(":")[0]: line.partition(":")[2].strip() for line in marked}

    def suites(self, version):
        found = self.result[f"{VERSIONS[version]}_cipher_suites"]["result"]["accepted_cipher_suites"]
        return {suite["cipher_suite"]["name"] for suite in found}

    def versions(self):
        return {version for version in VERSIONS if self.suites(version)}

    def weaknesses(self):
        result = {name: self.result[name]["result"] for name in
                  ("heartbleed", "openssl_ccs_injection", "robot", "session_renegotiation", "tls_compression")}
        said = []
        if result["heartbleed"]["is_vulnerable_to_heartbleed"]:
            said.append("heartbleed")
        if result["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"]:
            said.append("CCS injection")
        if not result["robot"]["robot_result"].startswith("NOT_VULNERABLE"):
            said.append("ROBOT")
        if result["session_renegotiation"]["is_vulnerable_to_client_renegotiation_dos"]:
            said.append("client renegotiation")
        if result["tls_compression"]["supports_compression"]:
            said.append("compression")
        return said


def is_strong(suite):
    return suite.startswith("TLS_ECDHE_") and (suite.endswith("POLY1305_SHA256") or "_GCM_" in suite)


def look(scan, what, versions, missed, found):
    """What must hold of every scan."""
    found.figure(f"{what}: versions", ", ".join(sorted(scan.versions())))
    found.figure(f"{what}: suites", ", ".join(sorted(scan.suites("TLS 1.2") | scan.suites("TLS 1.3"))))
    found.figure(f"{what}: points missed", ", ".join(sorted(scan.missed)) or "none")
    found.check(scan.versions() == versions, f"{what}: {sorted(scan.versions())} are spoken")
    found.check(scan.suites("TLS 1.3") == SUITES_1_3, f"{what}: TLS 1.3 has {scan.suites('TLS 1.3')}")
    weak = {suite for suite in scan.suites("TLS 1.2") if not is_strong(suite)}
    found.check(not weak, f"{what}: {sorted(weak)} have no forward secrecy or no authenticated encryption")
    found.check(scan.is_compliant == (not scan.missed), f"{what}: sslyze's exit code and words do not agree")
    found.check(set(scan.missed) == missed, f"{what}: missed {scan.missed}, not {sorted(missed)}")
    found.check(not scan.weaknesses(), f"{what}: {scan.weaknesses()}")


def examine(args, binary, work, found):
    folder = scanners.environment()
    home = box.make_home(binary, os.path.join(work, "box"))
    settings = os.path.join(home.path, "tallystick.toml")
    with box.Server(home) as server:
        scan = Scan(work, server, "modern", home.certificate)
        look(scan, "its own certificate", {"TLS 1.3"}, OF_ITSELF if not args.prove else set(), found)
    made = subprocess.run([os.path.join(folder, "bin/python"), os.path.join(box.HERE, "bank_ca.py"), work],
                          capture_output=True, text=True)
    if made.returncode != 0:
        raise box.Unavailable(f"no certificate could be issued: {made.stderr[-300:]}")
    for name in ("tls.crt", "tls.key"):
        shutil.copy(os.path.join(work, name), os.path.join(home.path, "keys", name))
    authority = os.path.join(work, "ca.crt")
    with box.Server(home, authority=authority) as server:
        look(Scan(work, server, "modern", authority), "a bank's certificate", {"TLS 1.3"}, set(), found)
    with open(settings, "w") as out:
        out.write('[tls]\nmin = "1.2"\n')
    with box.Server(home, authority=authority) as server:
        both = {"TLS 1.2", "TLS 1.3"}
        scan = Scan(work, server, "intermediate", authority)
        look(scan, "a bank's certificate, from 1.2", both, set(), found)


if __name__ == "__main__":
    sys.exit(verdict.run(verdict.parser_of(__doc__).parse_args(), examine))
