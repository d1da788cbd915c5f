package provider

import (
	"context"

	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

// ReloadError says that a zone was written, but that its server could not be
// made to read it. Reload repeats that.
type ReloadError = zonefile.ReloadError

type reloader interface {
	ReloadZone(ctx context.Context, zone records.Name) error
}

// Reload makes the zone's server read what was written, where the host needs
// that. Write does it too.
func (z *Zone) Reload(ctx context.Context) error {
	r, ok := z.client.(reloader)
	if !ok {
		return nil
	}
	return z.wrap("reloading the zone", protect(func() error { return r.ReloadZone(ctx, z.Name) }))
}
