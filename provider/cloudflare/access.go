package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/attunelogic/maildns/records"
)

// CheckAccess says what the token is good for in these zones. It writes
// nothing. The error is what stands in the way of any of them.
func (c *Client) CheckAccess(ctx context.Context, zones []records.Name) ([]string, error) {
	clients := make([]*Client, len(zones))
	for i, name := range zones {
		clients[i] = c.InZone(name, c.idOf(name))
	}
	facts := make([]string, 0, len(zones)+1)
	var errs []error
	account := ""
	for i, name := range zones {
		fact, z, err := clients[i].checkZone(ctx, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("zone %s: %w", name, err))
			continue
		}
		account = z.Account.ID
		facts = append(facts, fact)
	}
	token, err := c.checkToken(ctx, account)
	if err != nil {
		return facts, errors.Join(append([]error{err}, errs...)...)
	}
	return slices.Insert(facts, 0, token), errors.Join(errs...)
}

// idOf is the id that a domain gave for its zone, if one did.
func (c *Client) idOf(name records.Name) string {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	return c.host.bound[name]
}

// checkZone finds a zone, reads it, and says what may be done to it.
func (c *Client) checkZone(ctx context.Context, name records.Name) (fact string, z zone, err error) {
	s := c.state(name)
	if err := s.turn.take(ctx); err != nil {
		return "", zone{}, err
	}
	defer s.turn.leave()
	if err := c.read(ctx, name, s); err != nil {
		return "", zone{}, err
	}
	z = s.zone
	fact = fmt.Sprintf("%s: zone %s (%s, in the account %q) with %d record sets can be read", name, z.ID, z.Status, z.Account.Name, s.seen.zone.Len())
	return fact + "; " + writing(z, c.sizeFor(s)), z, nil
}

// writing says what is known about writing to a zone, short of doing it.
func writing(z zone, most int) string {
	switch {
	case z.Type == secondary:
		return "it can't be written, since it is transferred from another server"
	case slices.Contains(z.Permissions, "#dns_records:edit"):
		return fmt.Sprintf("it can be written, up to %d changes in one transaction", most)
	case len(z.Permissions) > 0:
		return "Cloudflare lists no permission to write it: the token needs DNS:Edit"
	default:
		return "whether it can be written only a write tells"
	}
}

// checkToken asks about the token itself: as a user's, then as an account's.
func (c *Client) checkToken(ctx context.Context, account string) (string, error) {
	var t struct {
		Status    string `json:"status"`
		ExpiresOn string `json:"expires_on"`
	}
	_, err := c.host.api.get(ctx, "/user/tokens/verify", nil, &t)
	if isRefused(err) && account != "" {
		_, err = c.host.api.get(ctx, "/accounts/"+url.PathEscape(account)+"/tokens/verify", nil, &t)
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("verifying the token: %w", err)
	case t.Status != "active":
		return "", fmt.Errorf("the token is %s: make another one", t.Status)
	case t.ExpiresOn != "":
		return "the token is active until " + t.ExpiresOn, nil
	}
	return "the token is active and doesn't expire", nil
}

func isRefused(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status >= http.StatusBadRequest && r.status < http.StatusInternalServerError
}
