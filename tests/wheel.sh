#!/bin/sh
# Builds the wheel with the tools of the virtual environment whose bin folder is $1, installs it into an empty
# environment outside of the repository, and runs the demo from there.
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd)
tools=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$repository"
# The development profile: this checks what the wheel contains, and the engine is built already.
"$tools/maturin" build --quiet --profile dev --out "$scratch/dist"
"$tools/python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet "$scratch"/dist/stillframe-*.whl
cd "$scratch"
"$scratch/venv/bin/python" -c 'from stillframe.model.natvis.sources import shipped; assert len(shipped()) == 4'
PATH=$scratch/venv/bin:$PATH "$repository/examples/demo.sh" >"$scratch/demo.txt"
grep -F '009F1934 C7 45 F8 30 7B 9F 00 mov' "$scratch/demo.txt"
echo "the demo ran from the wheel: $(basename "$scratch"/dist/*.whl)"
