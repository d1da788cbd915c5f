package records

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// Name is an absolute domain name as this program stores it: lower case,
// A-labels, without the trailing dot. The root is the empty string.
type Name string

// Limits of RFC 1035 2.3.4 in presentation form without the trailing dot.
const (
	maxName  = 253
	maxLabel = 63
)

// toASCII maps U-labels to A-labels and leaves underscores alone, which names
// of mail records need (RFC 8552) and the STD3 rules would refuse.
var toASCII = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.BidiRule(),
)

// ParseName reads a name that a person wrote: Unicode labels, upper case and a
// trailing dot are accepted. The error says which label is wrong and why.
func ParseName(s string) (Name, error) {
	text := strings.TrimSuffix(s, ".")
	if text == "" {
		return "", fmt.Errorf("the name %q is empty", s)
	}
	if !isASCII(text) {
		mapped, err := toASCII.ToASCII(text)
		if err != nil {
			return "", fmt.Errorf("the name %q is not a valid internationalised name: %w", s, err)
		}
		text = mapped
	}
	n := Name(strings.ToLower(text))
	if err := n.check(); err != nil {
		return "", err
	}
	return n, nil
}

// CanonicalName lower-cases a name that came from a DNS host and strips its
// trailing dot. It accepts whatever the host holds: what already exists is
// read, not judged.
func CanonicalName(s string) Name {
	return Name(strings.ToLower(strings.TrimSuffix(s, ".")))
}

func (n Name) check() error {
	if len(n) > maxName {
		return fmt.Errorf("the name %q has %d characters, at most %d are possible", n, len(n), maxName)
	}
	for i, label := range n.Labels() {
		if err := checkLabel(label, i == 0); err != nil {
			return fmt.Errorf("the name %q: %w", n, err)
		}
	}
	return nil
}

func checkLabel(label string, first bool) error {
	if label == "*" && first {
		return nil
	}
	switch {
	case label == "":
		return fmt.Errorf("it has an empty label (two dots in a row, or a leading dot)")
	case len(label) > maxLabel:
		return fmt.Errorf("label %q has %d characters, at most %d are possible", label, len(label), maxLabel)
	case label[0] == '-' || label[len(label)-1] == '-':
		return fmt.Errorf("label %q begins or ends with a hyphen", label)
	}
	for i := range len(label) {
		c := label[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			continue
		}
		return fmt.Errorf("label %q contains %q; letters, digits, '-' and '_' are possible", label, c)
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Labels splits the name at its dots. The root has none.
func (n Name) Labels() []string {
	if n == "" {
		return nil
	}
	return strings.Split(string(n), ".")
}

// In reports whether n is zone or lies below it, at a label boundary.
func (n Name) In(zone Name) bool {
	return n == zone || zone == "" || strings.HasSuffix(string(n), "."+string(zone))
}

// Below returns the name with labels put before it: Below("_dmarc", "a.example")
// is _dmarc.a.example.
func Below(prefix string, n Name) Name {
	if prefix == "" || prefix == "@" {
		return n
	}
	return Name(prefix + "." + string(n))
}

// Relative prints n as seen from zone: "@" for the zone itself, the labels in
// front of it below, and the absolute name with a dot for a name outside.
func (n Name) Relative(zone Name) string {
	switch {
	case n == zone:
		return "@"
	case n.In(zone) && zone != "":
		return strings.TrimSuffix(string(n), "."+string(zone))
	default:
		return string(n) + "."
	}
}

// Parent strips the first label. The parent of a single label is the root.
func (n Name) Parent() Name {
	_, rest, _ := strings.Cut(string(n), ".")
	return Name(rest)
}
