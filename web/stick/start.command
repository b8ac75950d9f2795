#!/bin/sh
# macOS opens this by a double click; it does what start.sh does.
exec sh "$(dirname "$0")/start.sh" "$@"
