#!/bin/sh
# Sets up the lab on this computer, without a network, and opens it; README.txt says more.
cd "$(dirname "$0")" || exit 1
framework=/Library/Frameworks/Python.framework/Versions/3.12/bin/python3.12
for python in python3.12 "$framework" python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
        exec "$python" open_lab.py "$@"
    fi
done
echo "There is no Python on this computer. Install Python 3.12, and start again: see README.txt." >&2
exit 1
