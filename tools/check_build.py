"""Builds the sdist, the wheel from it, and uses both elsewhere: in new environments, with and without a compiler."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_NATIVE = "built without its native part"


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    ran = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(f"{ran.stdout}{ran.stderr}\nfailed: {' '.join(map(str, command))}")
    return ran.stdout + ran.stderr


def smoke(python: Path | str, elsewhere: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(python, "-I", "-W", "error", ROOT / "tools" / "smoke.py", cwd=elsewhere))
    return answer


def expect(claim: bool, otherwise: str) -> None:
    if not claim:
        sys.exit(f"check_build: {otherwise}")


def main() -> None:
    """Ends with a message and 1 at the first thing that is not as it should be."""
    expected = smoke(sys.executable, ROOT)
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = Path(folder)
        run(
            sys.executable, "-m", "build", "--outdir", elsewhere, ROOT, cwd=elsewhere
        )  # The wheel comes from the sdist.
        (sdist,), (wheel,) = elsewhere.glob("*.tar.gz"), elsewhere.glob("*.whl")
        print(f"built {sdist.name} and {wheel.name}")

        for name, archive, environment in (("wheel", wheel, {}), ("sdist, no compiler", sdist, {"CC": "false"})):
            home = elsewhere / name.partition(",")[0]
            run(sys.executable, "-m", "venv", home, cwd=elsewhere)
            python = home / "bin" / "python"
            said = run(
                *(python, "-m", "pip", "install", "--verbose", archive),
                cwd=elsewhere,
                **environment,
            )
            found = smoke(python, elsewhere)
            expect(Path(found["file"]).is_relative_to(home), f"{name}: not the installed penstock but {found['file']}")
            expect(found["batches"] == expected["batches"], f"{name}: other batches than in the checkout")
            if environment:
                times = said.count(WITHOUT_NATIVE)
                expect(not found["native"], f"{name}: expected the NumPy twin")
                expect(times == 1, f"{name}: expected one word on the missing native part, got {times}")
            else:
                expect(found["native"] == expected["native"], f"{name}: the native part is not as in the checkout")
            print(f"{name}: installs in a new environment and joins ({'native' if found['native'] else 'NumPy twin'})")


if __name__ == "__main__":
    main()
