package route53

import (
	"context"
	"fmt"
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

	mu    sync.Mutex
	open  map[records.Name]bool // zones that are to be looked up
	known map[records.Name][]types.HostedZone
	all   bool // known holds every zone of the account
}

func (d *directory) expect(zone records.Name) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[zone] = true
}

// find returns what is known of the zones of a name; ok is false where they
// must be asked for, and list then says that it is worthwhile to list all.
func (d *directory) find(zone records.Name) (found []types.HostedZone, ok, list bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok = d.known[zone]
	return found, ok || d.all, len(d.open) > many
}

func (d *directory) learn(all bool, found map[records.Name][]types.HostedZone) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || all {
		d.known = map[records.Name][]types.HostedZone{}
	}
	for name, zones := range found {
		d.known[name] = zones
	}
	d.all = d.all || all
}

// bareID accepts an id in both forms that the API has for it.
func bareID(id string) string { return strings.TrimPrefix(id, "/hostedzone/") }

// zoneID returns the id of the hosted zone.
func (c *Client) zoneID(ctx context.Context, zone records.Name) (string, error) {
	if c.id != "" && c.zone == zone {
		return c.id, nil
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
