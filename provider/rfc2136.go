package provider

import (
	"github.com/attunelogic/maildns/provider/rfc2136"
	"github.com/attunelogic/maildns/records"
)

func openRFC2136(v Values, _ Options) (Client, error) {
	p, err := rfc2136.New(v.Text("server"), rfc2136.Key{
		Name: v.Text("key_name"), Algorithm: v.Text("key_alg"), Secret: v.Text("key"),
	})
	if err != nil {
		return nil, err
	}
	return rfc2136Client{p}, nil
}

// rfc2136Client gives each zone a memory of its own, so that what apply reads
// need not be transferred again for the write.
type rfc2136Client struct{ *rfc2136.Provider }

// InZone returns the client for one zone; a name has only one there.
func (c rfc2136Client) InZone(records.Name, string) Client {
	return rfc2136Client{c.Fork()}
}
