package records

import (
	"fmt"
	"net/url"
	"strings"
)

// ReportURI is one destination of DMARC or TLS reports (RFC 9989 4.7,
// RFC 8460 3).
type ReportURI struct {
	Scheme  string // "mailto" or "https"
	Address string // the mailbox of a mailto URI
	Host    Name   // the mailbox's domain, or the host of an https URI
	Size    string // "10m" of an obsolete "!10m" (RFC 7489 6.2); empty: none
}

// ParseReportURI reads one URI of a rua or ruf tag. The error says what is
// wrong with it and how to write it.
func ParseReportURI(s string) (ReportURI, error) {
	var u ReportURI
	text, size, found := strings.Cut(s, "!")
	if found && !isReportSize(size) {
		return u, fmt.Errorf(`%q contains a "!"; write it as %%21`, s)
	}
	if strings.ContainsAny(text, ",;") || !isVisibleASCII(text) {
		return u, fmt.Errorf("%q contains a character that a URI of a list can't hold; percent-encode it", s)
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme == "" {
		return u, fmt.Errorf("%q is not a URI; write mailto:NAME@DOMAIN", s)
	}
	u.Size = size
	switch u.Scheme = parsed.Scheme; u.Scheme {
	case "mailto":
		return u, u.setMailbox(s, parsed.Opaque)
	case "https":
		if u.Host = CanonicalName(parsed.Hostname()); u.Host == "" {
			return u, fmt.Errorf("%q names no host", s)
		}
		return u, nil
	}
	return u, fmt.Errorf("%q: reports go to mailto: or https: only", s)
}

func (u *ReportURI) setMailbox(s, opaque string) error {
	address, err := url.PathUnescape(opaque)
	if err != nil {
		return fmt.Errorf("%q has a bad percent escape", s)
	}
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return fmt.Errorf("%q holds no mailbox; write mailto:NAME@DOMAIN", s)
	}
	host, err := ParseName(address[at+1:])
	if err != nil {
		return fmt.Errorf("the domain of %q: %w", s, err)
	}
	u.Address, u.Host = address, host
	return nil
}

// isReportSize checks the size limit of RFC 7489 6.4: digits and a unit.
func isReportSize(s string) bool {
	digits := strings.TrimRight(s, "0123456789")
	if unit := len(s); unit > 0 && strings.ContainsRune("kmgtKMGT", rune(s[unit-1])) {
		digits = strings.TrimRight(s[:unit-1], "0123456789")
		return digits == "" && unit > 1
	}
	return digits == "" && s != ""
}

func isVisibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
