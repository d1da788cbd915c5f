package rfc2136

import "github.com/attunelogic/maildns/records"

// maxMessage is how large a message may become by our reckoning, which knows
// neither how the server cuts its texts nor the signature: a message ends at
// 64 KiB (RFC 1035 4.2.2).
const maxMessage = 48 << 10

// Split cuts changes into as few messages as hold them. What one name needs
// stays together: a CNAME must not meet what it replaces.
func (p *Provider) Split(changes []records.Change) [][]records.Change {
	var batches [][]records.Change
	room := 0
	for _, group := range byName(changes) {
		size := 0
		for _, c := range group {
			size += weight(c)
		}
		if len(batches) == 0 || size > room {
			batches, room = append(batches, nil), maxMessage
		}
		last := len(batches) - 1
		batches[last] = append(batches[last], group...)
		room -= size
	}
	return batches
}

// byName gathers the changes of each name, in the order of the names' first.
func byName(changes []records.Change) [][]records.Change {
	var groups [][]records.Change
	place := make(map[records.Name]int)
	for _, c := range changes {
		i, ok := place[c.Name]
		if !ok {
			i = len(groups)
			place[c.Name] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

// weight is about how many bytes a change takes: what it states, what it
// removes, what it adds.
func weight(c records.Change) int {
	const fixed = 12 // the name's ends, type, class, TTL, length (RFC 1035 4.1.3)
	owner := len(c.Name) + fixed
	size := owner
	for _, side := range []*records.RRset{c.Before, c.After} {
		if side == nil {
			continue
		}
		for _, v := range side.Values {
			size += owner + len(v) + len(v)/255 + 2
		}
	}
	return size
}
