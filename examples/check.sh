#!/bin/sh
# Validates and plans every configuration below examples/, each in a copy, so
# that nothing here is changed. A plan with faults is a failure.
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$GO" build -o "$tmp/maildns" ./cmd/maildns

count=0
for example in examples/*/; do
	set -- "$example"*.hcl
	[ -e "$1" ] || continue
	name=$(basename "$example")
	echo "== $name"
	cp -R "$example" "$tmp/$name"
	"$tmp/maildns" -C "$tmp/$name" fmt --check
	"$tmp/maildns" -C "$tmp/$name" validate
	"$tmp/maildns" -C "$tmp/$name" plan --offline
	diff -r "$example" "$tmp/$name" # a plan writes nothing
	count=$((count + 1))
done
[ "$count" -gt 0 ] || { echo "no example found" >&2; exit 1; }
echo "$count examples are valid and can be planned"
