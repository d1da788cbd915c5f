package route53test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Quotas of one batch and of one value.
const (
	maxRecords    = 1000
	maxCharacters = 32000
	maxValue      = 4000
)

// changeSets is ChangeResourceRecordSets: all changes or none.
func (s *Server) changeSets(w http.ResponseWriter, r *http.Request, z *zone) {
	var request changeRequest
	if err := xml.NewDecoder(r.Body).Decode(&request); err != nil || request.XMLName.Space != namespace || len(request.Changes) == 0 {
		refuse(w, http.StatusBadRequest, "InvalidInput", fmt.Sprintf("the request is no ChangeResourceRecordSetsRequest with changes: %v", err))
		return
	}
	after := &zone{name: z.name, sets: slices.Clone(z.sets)}
	messages := tooMuch(request.Changes)
	for _, c := range request.Changes {
		if err := after.change(c); err != nil {
			messages = append(messages, err.Error())
		}
	}
	if len(messages) > 0 {
		send(w, http.StatusBadRequest, invalidBatch{Messages: messages, RequestID: "00000000-0000-0000-0000-000000000000"})
		return
	}
	z.sets = after.sets
	if s.pending == nil {
		s.pending = map[string]int{}
	}
	id := fmt.Sprintf("C%013d", len(s.pending)+1)
	s.pending[id] = s.PendingPolls
	status := "PENDING"
	if s.PendingPolls < 0 {
		status = "INSYNC"
	}
	send(w, http.StatusOK, changeResponse{ChangeInfo: changeInfo{"/change/" + id, status, submitted}})
}

// tooMuch holds the quotas against a batch. An UPSERT counts twice.
func tooMuch(changes []change) (messages []string) {
	values, characters := 0, 0
	for _, c := range changes {
		if c.Set == nil {
			continue
		}
		times := 1
		if c.Action == "UPSERT" {
			times = 2
		}
		for _, v := range c.Set.ResourceRecords {
			values += times
			characters += times * len(v.Value)
		}
	}
	if values > maxRecords {
		messages = append(messages, fmt.Sprintf("Number of records limit of %d exceeded.", maxRecords))
	}
	if characters > maxCharacters {
		messages = append(messages, fmt.Sprintf("Number of characters limit of %d exceeded.", maxCharacters))
	}
	return messages
}

func (z *zone) change(c change) error {
	if c.Set == nil {
		return fmt.Errorf("a change of no resource record set")
	}
	set := *c.Set
	set.Name = normalName(set.Name)
	if !strings.HasSuffix("."+set.Name, "."+z.name) {
		return fmt.Errorf("RRSet with DNS name %s is not permitted in zone %s", set.Name, z.name)
	}
	switch c.Action {
	case "DELETE":
		return z.remove(set)
	case "CREATE":
		if _, found := z.find(set); found {
			return fmt.Errorf("Tried to create resource record set %s but it already exists", label(set)) //nolint:staticcheck // the service's own words
		}
	case "UPSERT":
	default:
		return fmt.Errorf("the action %q is not valid", c.Action)
	}
	if err := z.check(set); err != nil {
		return err
	}
	z.put(set)
	return nil
}

func label(s Set) string {
	identifier := ""
	if s.SetIdentifier != "" {
		identifier = ", set identifier='" + s.SetIdentifier + "'"
	}
	return fmt.Sprintf("[name='%s', type='%s'%s]", s.Name, s.Type, identifier)
}

func (z *zone) find(s Set) (place int, found bool) {
	return slices.BinarySearchFunc(z.sets, s, compareSets)
}

// put stores the set in its place.
func (z *zone) put(s Set) {
	i, found := z.find(s)
	if found {
		z.sets[i] = s
		return
	}
	z.sets = slices.Insert(slices.Clone(z.sets), i, s)
}

// remove is DELETE: everything must be as it is stored, the order of the values
// aside.
func (z *zone) remove(s Set) error {
	i, found := z.find(s)
	switch {
	case !found:
		return fmt.Errorf("Tried to delete resource record set %s but it was not found", label(s)) //nolint:staticcheck // the service's own words
	case !reflect.DeepEqual(sorted(z.sets[i]), sorted(s)):
		return fmt.Errorf("Tried to delete resource record set %s but the values provided do not match the current values", label(s)) //nolint:staticcheck // the service's own words
	case s.Name == z.name && s.Type == "SOA":
		return fmt.Errorf("A HostedZone must contain exactly one SOA record") //nolint:staticcheck // the service's own words
	case s.Name == z.name && s.Type == "NS":
		return fmt.Errorf("A HostedZone must contain at least one NS record for the zone itself") //nolint:staticcheck // the service's own words
	}
	z.sets = slices.Delete(slices.Clone(z.sets), i, i+1)
	return nil
}

func sorted(s Set) Set {
	s.ResourceRecords = slices.Clone(s.ResourceRecords)
	slices.SortFunc(s.ResourceRecords, func(a, b Record) int { return strings.Compare(a.Value, b.Value) })
	return s
}

// check is what a set must keep to, beside its siblings.
func (z *zone) check(s Set) error {
	if err := checkSet(s); err != nil {
		return err
	}
	if s.Type == "CNAME" && s.Name == z.name {
		return fmt.Errorf("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", s.Name, z.name)
	}
	for i := range z.sets {
		o := &z.sets[i]
		switch {
		case o.Name != s.Name:
		case o.Type == s.Type && o.routed() != s.routed():
			return fmt.Errorf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created because a non multivalue RRSet exists with the same name and type", s.Name, s.Type, s.SetIdentifier)
		case s.Type == "CNAME" && o.Type != "CNAME":
			return fmt.Errorf("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", s.Name, z.name)
		case s.Type != "CNAME" && o.Type == "CNAME":
			return fmt.Errorf("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone %s", s.Type, s.Name, z.name)
		}
	}
	return nil
}

func checkSet(s Set) error {
	switch {
	case s.AliasTarget != nil && (s.TTL != nil || len(s.ResourceRecords) > 0):
		return fmt.Errorf("Invalid request: an alias has neither TTL nor ResourceRecords") //nolint:staticcheck // the service's own words
	case s.AliasTarget != nil:
		return nil
	case s.TTL == nil || *s.TTL < 0 || *s.TTL > 1<<31-1 || len(s.ResourceRecords) == 0:
		return fmt.Errorf("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with %s", label(s)) //nolint:staticcheck // the service's own words
	case s.Type == "CNAME" && len(s.ResourceRecords) > 1:
		return fmt.Errorf("CNAME records can have at most one value")
	}
	seen := map[string]bool{}
	for _, v := range s.ResourceRecords {
		switch {
		case seen[v.Value]:
			return fmt.Errorf("Duplicate Resource Record: '%s'", v.Value) //nolint:staticcheck // the service's own words
		case len(v.Value) > maxValue:
			return fmt.Errorf("a value has more than %d characters", maxValue)
		}
		seen[v.Value] = true
		if err := checkValue(s.Type, v.Value); err != nil {
			return fmt.Errorf("Invalid Resource Record: %w", err) //nolint:staticcheck // the service's own words
		}
	}
	return nil
}
