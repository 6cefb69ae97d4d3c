"""``script/bench``: run the named benchmarks, or all."""

import sys

from benchmarks import certificates, imports, pages, policies, report, signin, ssh, start, traffic

ALL = {
    "start": start.run,
    "policies": policies.run,
    "traffic": traffic.run,
    "signin": signin.run,
    "ssh": ssh.run,
    "certificates": certificates.run,
    "report": report.run,
    "pages": pages.run,
    "imports": imports.run,
}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(ALL)
    if unknown := set(chosen) - ALL.keys():
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}. There are: {', '.join(ALL)}")
    for name in chosen:
        print(f"\n== {name}", flush=True)
        ALL[name]()
