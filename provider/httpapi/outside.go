package httpapi

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Outside is what a Transport needs of the world. Each part that is nil is the
// real one, so that the zero value is the real world, and tests bring their
// own.
type Outside struct {
	Via    http.RoundTripper                                // the network
	Now    func() time.Time                                 // the clock
	Sleep  func(ctx context.Context, d time.Duration) error // returns early, with the cause, when ctx ends
	Random func() float64                                   // at least 0, less than 1
}

// real fills in what is missing.
func (o Outside) real() Outside {
	if o.Via == nil {
		o.Via = network()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = Sleep
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

// network is http.DefaultTransport with bounds of its own, and apart from it:
// libraries alter that one.
func network() http.RoundTripper {
	const patience = 15 * time.Second
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: patience, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   patience,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8, // as many zones as are read at once
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// Sleep waits, or until the context ends, whose cause it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Endpoint reads the address of an API: scheme, host and the path that all
// requests have in common. Credentials go there, so it must be https, or http
// on this machine.
func Endpoint(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("an endpoint is a URL such as https://api.example.net/v4, without user, query and fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	default:
		return nil, fmt.Errorf("endpoint %s://%s: use https: credentials go there (http is for this machine's own addresses, such as 127.0.0.1)", u.Scheme, u.Host)
	}
}

// isLoopback judges addresses alone: what localhost means is up to a resolver.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
