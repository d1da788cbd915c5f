package journal

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/records"
)

// Chains lie below this prefix; reports, statements and marks have their own.
const chains = "zones/"

// maxSeq has ten digits: 300 entries a second for a year.
const maxSeq uint64 = 9_999_999_999

// directory is where a zone's chain lies, without the slash.
func directory(zone records.Name) string { return chains + store.Escape(string(zone)) }

func objectName(zone records.Name, seq uint64, p part) string {
	return fmt.Sprintf("%s/%010d-%d-%s.json", directory(zone), maxSeq-seq, seq, p)
}

// parseObject reads a name of the zone's chain; ok is false for any other.
func parseObject(zone records.Name, name string) (seq uint64, p part, ok bool) {
	fields := strings.SplitN(strings.TrimPrefix(name, directory(zone)+"/"), "-", 3)
	if len(fields) != 3 {
		return 0, "", false
	}
	seq, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil || seq == 0 || seq > maxSeq {
		return 0, "", false
	}
	p = part(strings.TrimSuffix(fields[2], ".json"))
	return seq, p, name == objectName(zone, seq, p) && (p == partIntent || p == partOutcome || p == partPruned)
}
