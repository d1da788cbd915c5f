package route53

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/attunelogic/maildns/provider/route53/octal"
	"github.com/attunelogic/maildns/records"
)

// many is the number of zones beyond which their ids come from the list of all
// zones, a hundred a request, and no longer from a request each.
const many = 20

// directory knows the ids of the account's zones.
type directory struct {
	turn chan struct{} // whoever lists the zones puts one in

	mu       sync.Mutex
	expected int                     // how many zones there will be, as far as is known
	opened   map[records.Name]string // those taken so far, with the id that was given
	known    map[records.Name][]types.HostedZone
	all      bool // known holds every zone of the account
}

func newDirectory() *directory {
	return &directory{turn: make(chan struct{}, 1), opened: map[records.Name]string{}, known: map[records.Name][]types.HostedZone{}}
}

// take notes that a zone will be asked for. The id is that of zone_id.
func (d *directory) take(zone records.Name, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened[zone] = id
}

// given returns the id that a zone was taken with, if any.
func (d *directory) given(zone records.Name) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opened[zone]
}

func (d *directory) expect(zones int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expected = zones
}

// find returns what is known of the zones of a name; ok is false where they
// must be asked for, and list then says that it is worthwhile to list all.
func (d *directory) find(zone records.Name) (found []types.HostedZone, ok, list bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok = d.known[zone]
	return found, ok || d.all, max(len(d.opened), d.expected) > many
}

func (d *directory) learn(all bool, found map[records.Name][]types.HostedZone) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.Copy(d.known, found)
	d.all = d.all || all
}

// bareID accepts an id in both forms that the API has for it.
func bareID(id string) string { return strings.TrimPrefix(id, "/hostedzone/") }

// zoneID returns the id of the hosted zone.
func (c *Client) zoneID(ctx context.Context, zone records.Name) (string, error) {
	if c.id != "" && c.zone == zone {
		return c.id, nil
	}
	if id := c.account.zones.given(zone); id != "" && c.zone == "" {
		return id, nil
	}
	found, err := c.account.lookUp(ctx, zone)
	if err != nil {
		return "", err
	}
	return choose(zone, found)
}

// choose picks the public zone of a name.
func choose(zone records.Name, found []types.HostedZone) (id string, err error) {
	var public, private []string
	for _, z := range found {
		if z.Config != nil && z.Config.PrivateZone {
			private = append(private, bareID(aws.ToString(z.Id)))
		} else {
			public = append(public, bareID(aws.ToString(z.Id)))
		}
	}
	switch {
	case len(public) == 1:
		return public[0], nil
	case len(public) > 1:
		return "", fmt.Errorf("the account has %d public hosted zones %s: say with zone_id which one resolvers ask, %s", len(public), zone, strings.Join(public, " or "))
	case len(private) > 0:
		return "", fmt.Errorf("the account has the hosted zone %s as a private one only (%s), which the internet doesn't see: create a public one, or choose the account that has it", zone, strings.Join(private, ", "))
	}
	return "", fmt.Errorf("the account has no hosted zone %s: create it, or use the credentials of the account that has it", zone)
}

// lookUp returns the hosted zones of a name.
func (a *account) lookUp(ctx context.Context, zone records.Name) ([]types.HostedZone, error) {
	found, ok, list := a.zones.find(zone)
	if ok {
		return found, nil
	}
	if !list {
		found, err := a.zonesNamed(ctx, zone)
		if err == nil {
			a.zones.learn(false, map[records.Name][]types.HostedZone{zone: found})
		}
		return found, err
	}
	if err := a.listOnce(ctx); err != nil {
		return nil, err
	}
	found, _, _ = a.zones.find(zone)
	return found, nil
}

// listOnce lists all zones, unless somebody else has done so meanwhile.
func (a *account) listOnce(ctx context.Context) error {
	select {
	case a.zones.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.zones.turn }()
	a.zones.mu.Lock()
	done := a.zones.all
	a.zones.mu.Unlock()
	if done {
		return nil
	}
	all, err := a.listZones(ctx)
	if err != nil {
		return err
	}
	a.zones.learn(true, all)
	return nil
}

func (a *account) listZones(ctx context.Context) (map[records.Name][]types.HostedZone, error) {
	api, err := a.client(ctx)
	if err != nil {
		return nil, err
	}
	all := map[records.Name][]types.HostedZone{}
	in := &r53.ListHostedZonesInput{}
	for {
		page, err := api.ListHostedZones(ctx, in)
		if err != nil {
			return nil, explain("ListHostedZones", err)
		}
		for _, z := range page.HostedZones {
			name := octal.ParseName(aws.ToString(z.Name))
			all[name] = append(all[name], z)
		}
		if !page.IsTruncated {
			return all, nil
		}
		in.Marker = page.NextMarker
	}
}

// zonesNamed returns the zones of one name, which is where the list begins.
func (a *account) zonesNamed(ctx context.Context, zone records.Name) (found []types.HostedZone, err error) {
	api, err := a.client(ctx)
	if err != nil {
		return nil, err
	}
	in := &r53.ListHostedZonesByNameInput{DNSName: aws.String(octal.Name(zone))}
	for {
		page, err := api.ListHostedZonesByName(ctx, in)
		if err != nil {
			return nil, explain("ListHostedZonesByName", err)
		}
		for _, z := range page.HostedZones {
			if octal.ParseName(aws.ToString(z.Name)) != zone {
				return found, nil
			}
			found = append(found, z)
		}
		if !page.IsTruncated {
			return found, nil
		}
		in.DNSName, in.HostedZoneId = page.NextDNSName, page.NextHostedZoneId
	}
}
