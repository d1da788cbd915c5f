// Package route53 is a libdns client for public hosted zones at Amazon Route 53.
// It asks the service through Amazon's SDK for what libdns can't carry: which
// sets are aliases or have a routing policy, and in which form each value is
// stored. So it can write a change of any number of sets as one batch that
// deletes exactly what was read and creates what is to be, and that the service
// makes or refuses as a whole.
//
// Why it doesn't stand on the client of libdns/route53 is told in
// docs/decisions/0019-route53-reads-through-the-sdk.md.
package route53

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/records"
)

// Settings are what a client is made with. The zero value takes everything
// from the SDK's environment variables and files.
type Settings struct {
	Profile      string // of the shared AWS configuration
	Region       string // for signing; us-east-1 where nothing says otherwise
	AccessKeyID  string // with SecretAccessKey, in the place of a profile
	SecretKey    string
	SessionToken string
	Endpoint     string // in the place of Amazon's own; empty: what the SDK's variables say

	// PerSecond and Burst are the account's request quota, or the share of it
	// that this client may use; 0 is no limit.
	PerSecond float64
	Burst     int

	// Tell is told in one sentence what the service is waiting for; nil:
	// nobody is.
	Tell func(string)
	// Now and Sleep are the clock; nil: the real one.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Load is passed on to the SDK, after what the fields above say.
	Load []func(*config.LoadOptions) error
}

// Client reads and writes the zones of one account. In returns one that is
// bound to a zone. It is safe for concurrent use by several zones; one zone has
// one writer at a time, which its caller sees to.
type Client struct {
	account *account
	zone    records.Name // that it is bound to; empty: to none
	id      string       // of that, where one was given

	mu     sync.Mutex
	stored map[records.Name]forms // of zones that were read and not written since
}

// account is what all zones share.
type account struct {
	settings Settings
	pacer    *pacer

	load sync.Mutex
	api  *r53.Client // made when it is needed first

	zones *directory
}

// New returns a client. It reads no file and contacts nothing yet. The error
// says which settings don't go together.
func New(s Settings) (*Client, error) {
	switch {
	case (s.AccessKeyID == "") != (s.SecretKey == ""):
		return nil, errors.New("access_key_id and secret_access_key go together: set both, or neither and use profile or the environment")
	case s.SessionToken != "" && s.AccessKeyID == "":
		return nil, errors.New("session_token belongs to an access_key_id and a secret_access_key: set them too")
	case s.Profile != "" && s.AccessKeyID != "":
		return nil, errors.New("profile and access_key_id exclude each other: remove one")
	case s.Region != "" && !region.MatchString(s.Region):
		return nil, fmt.Errorf("region is %q: write one such as eu-west-1", s.Region)
	}
	if s.Tell == nil {
		s.Tell = func(string) {}
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Sleep == nil {
		s.Sleep = httpapi.Sleep
	}
	return &Client{account: &account{settings: s, pacer: newPacer(s), zones: newDirectory()}}, nil
}

// region is what a region may be: the SDK makes host names of it, to which it
// sends credentials, so a configuration must not choose them.
var region = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)

// In returns the client for one zone; the id says which one where the account
// has several of that name, and is empty otherwise. Zones that are to be read
// together are all taken before the first is read: from a certain number on
// their ids come from the list of all zones.
func (c *Client) In(zone records.Name, id string) *Client {
	id = bareID(id)
	c.account.zones.take(zone, id)
	return &Client{account: c.account, zone: zone, id: id}
}

// Expect says how many zones there will be, where that is known before they
// are taken.
func (c *Client) Expect(zones int) { c.account.zones.expect(zones) }
