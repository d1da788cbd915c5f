package route53test

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The most that one answer holds.
const (
	maxZones = 100
	maxSets  = 300
)

// pageSize reads maxitems; ok is false after an answer that refuses it.
func pageSize(w http.ResponseWriter, r *http.Request, most int) (n int, ok bool) {
	text := r.URL.Query().Get("maxitems")
	if text == "" {
		return most, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		refuse(w, http.StatusBadRequest, "InvalidInput", "maxitems "+text+" is not valid")
		return 0, false
	}
	return min(n, most), true
}

// sorting is the order of lists: by name with its labels reversed.
func sorting(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

func compareSets(a, b Set) int {
	return cmp.Or(cmp.Compare(sorting(a.Name), sorting(b.Name)), cmp.Compare(a.Type, b.Type), cmp.Compare(a.SetIdentifier, b.SetIdentifier))
}

// list is ListResourceRecordSets.
func (z *zone) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, ok := pageSize(w, r, maxSets)
	if !ok {
		return
	}
	name, kind, identifier := q.Get("name"), q.Get("type"), q.Get("identifier")
	if name == "" && kind != "" || kind == "" && identifier != "" {
		refuse(w, http.StatusBadRequest, "InvalidInput", "a type needs a name, an identifier needs a type")
		return
	}
	first := 0
	if name != "" {
		start := Set{Name: normalName(name), Type: kind, SetIdentifier: identifier}
		first, _ = slices.BinarySearchFunc(z.sets, start, compareSets)
	}
	rest := z.sets[first:]
	out := listSetsResponse{Sets: rest[:min(size, len(rest))], MaxItems: size}
	if len(rest) > size {
		out.IsTruncated = true
		out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = rest[size].Name, rest[size].Type, rest[size].SetIdentifier
	}
	send(w, http.StatusOK, out)
}

func (z *zone) hosted() hostedZone {
	return hostedZone{
		ID: "/hostedzone/" + z.id, Name: z.name, CallerReference: z.id,
		Config: zoneConfig{z.private}, ResourceRecordSetCount: len(z.sets),
	}
}

func hostedZones(zones []*zone) []hostedZone {
	out := make([]hostedZone, len(zones))
	for i, z := range zones {
		out[i] = z.hosted()
	}
	return out
}

// listZones is ListHostedZones, in the order of ids.
func (s *Server) listZones(w http.ResponseWriter, r *http.Request) {
	size, ok := pageSize(w, r, maxZones)
	if !ok {
		return
	}
	marker := r.URL.Query().Get("marker")
	rest := slices.DeleteFunc(slices.Clone(s.zones), func(z *zone) bool { return z.id < marker })
	out := listZonesResponse{Marker: marker, Zones: hostedZones(rest[:min(size, len(rest))]), MaxItems: size}
	if len(rest) > size {
		out.IsTruncated, out.NextMarker = true, rest[size].id
	}
	send(w, http.StatusOK, out)
}

// listZonesByName is ListHostedZonesByName, in the order of names.
func (s *Server) listZonesByName(w http.ResponseWriter, r *http.Request) {
	size, ok := pageSize(w, r, maxZones)
	if !ok {
		return
	}
	q := r.URL.Query()
	name, id := q.Get("dnsname"), q.Get("hostedzoneid")
	if name == "" && id != "" {
		refuse(w, http.StatusBadRequest, "InvalidInput", "hostedzoneid needs dnsname")
		return
	}
	byName := func(a, b *zone) int {
		return cmp.Or(cmp.Compare(sorting(a.name), sorting(b.name)), cmp.Compare(a.id, b.id))
	}
	rest := slices.SortedFunc(slices.Values(s.zones), byName)
	if name != "" {
		start := &zone{name: normalName(name), id: id}
		rest = slices.DeleteFunc(rest, func(z *zone) bool { return byName(z, start) < 0 })
	}
	out := listZonesByNameResponse{DNSName: name, HostedZoneID: id, Zones: hostedZones(rest[:min(size, len(rest))]), MaxItems: size}
	if len(rest) > size {
		out.IsTruncated, out.NextDNSName, out.NextHostedZoneID = true, rest[size].name, rest[size].id
	}
	send(w, http.StatusOK, out)
}
