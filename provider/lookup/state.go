package lookup

import "context"

// Err says that the run can't ask any more, wrapping ErrNoNetwork; nil as long
// as it can.
func (r *Resolver) Err() error {
	if r.run.Err() == nil {
		return nil
	}
	return context.Cause(r.run)
}
