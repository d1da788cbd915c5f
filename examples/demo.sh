#!/bin/sh
# Plans, applies and rolls back the runbook's own domain. It works on a copy of
# examples/attunelogic in a temporary directory and needs Go and nothing else:
# no account, no secret, no network beyond Go's module proxy.
#   KEEP=1 examples/demo.sh   leaves the copy there, to go on with by hand
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}

dir=$(mktemp -d)
trap '[ -n "${KEEP:-}" ] || rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cp -R examples/attunelogic/. "$dir"
zone=$dir/zones/attunelogic.com.zone

say() {
	printf '\n--- %s\n' "$1"
	shift
	[ $# = 0 ] || printf '    %s\n' "$@"
}

# maildns runs the program as anybody can from a clone, and shows how.
maildns() {
	printf '\n$ go run ./cmd/maildns -C DIR %s\n\n' "$*"
	"$GO" run ./cmd/maildns -C "$dir" "$@"
}

# changed shows what has happened to the zone file since the copy named $1.
# Keys are long, so lines are cut at 130 characters.
changed() {
	printf '\n$ diff -u %s attunelogic.com.zone\n\n' "$1"
	diff -u "$dir/$1" "$zone" | sed -e '1,2d' -e 's/^\(.\{130\}\)..*/\1.../'
}

cp "$zone" "$dir/as-found.zone"
printf '%s\n' \
	"maildns on the zone of attunelogic.com, in a copy of examples/attunelogic:" \
	"DIR is $dir"

say "1. What would change, and what does it mean for mail?" \
	"The zone was kept by hand: two SPF records, which receivers answer with PERMERROR;" \
	"no DMARC; TLS reports that go to the wrong mailbox; values of strangers beside ours." \
	"(--offline: leave the DNS alone. Without it plan also counts what the includes cost.)"
maildns plan --offline

say "2. Do what can be done now." \
	"What caches must forget first waits, and what tightens without evidence is held:" \
	"mailgun.org stays authorised, since the live zone has it and the configuration forgot it."
maildns apply --auto-approve

say "The zone file: only the lines of the changed records differ, and the SOA serial." \
	"Comments, verification tokens and everybody else's records are as they were."
changed as-found.zone
cp "$zone" "$dir/applied.zone"

say "3. Who did what?"
maildns history

say "4. Something looks wrong: put it back." \
	"--exact takes away what was new as well. Without it a new DKIM key would stay," \
	"since its presence harms nobody and its absence may."
maildns rollback --to last --exact --auto-approve

say "What the rollback changed:"
changed applied.zone

say "What is left of the whole run: the serial, which must rise; the short TTL on what was" \
	"touched, so that a second thought is cheap (the former one returns later); and the place" \
	"of one line. Two SPF records are back: a rollback restores what was, faults included."
changed as-found.zone

say "5. The next plan does not bring the change back by itself."
maildns plan --offline

say "That was it. To try by hand:" \
	"cp -R examples/attunelogic /tmp/attunelogic" \
	"go run ./cmd/maildns -C /tmp/attunelogic plan"
