package records

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// dkimVersion is the version of a key record (RFC 6376 3.6.1).
const dkimVersion = "DKIM1"

// KeyType is the algorithm of a DKIM key, the tag k.
type KeyType string

// The key types of RFC 6376 3.6.1 and RFC 8463 4.
const (
	KeyRSA     KeyType = "rsa"
	KeyEd25519 KeyType = "ed25519"
)

// DKIMKey is a key record (RFC 6376 3.6.1). The zero value of a field means
// that the record doesn't have the tag; of Data, that the key is revoked.
type DKIMKey struct {
	Type KeyType // k; empty: rsa
	// Data is the decoded tag p: for rsa a SubjectPublicKeyInfo or, as
	// erratum 3017 admits, an RSAPublicKey of PKCS #1; for ed25519 the 32
	// bytes of the key (RFC 8463 4).
	Data     []byte
	Hashes   []string // h: the acceptable hash algorithms; none: all
	Services []string // s: the service types; none: all
	Testing  bool     // t=y
	Strict   bool     // t=s: the domains of i= and d= must be equal
	Flags    []string // other flags of t
	Notes    string   // n, decoded
	Other    []Tag    // unknown tags, in order and as written
}

// NewDKIMKey returns the record of a public key, an *rsa.PublicKey or an
// ed25519.PublicKey.
func NewDKIMKey(public crypto.PublicKey) (DKIMKey, error) {
	switch key := public.(type) {
	case ed25519.PublicKey:
		return DKIMKey{Type: KeyEd25519, Data: key}, nil
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return DKIMKey{}, fmt.Errorf("encoding the RSA key: %w", err)
		}
		return DKIMKey{Type: KeyRSA, Data: der}, nil
	}
	return DKIMKey{}, &KeyError{KeyUnusable, "it is a key of another algorithm; DKIM has RSA and Ed25519"}
}

// RevokedDKIM is the value that withdraws a key (RFC 6376 3.6.1).
const RevokedDKIM Value = "v=" + dkimVersion + "; p="

// ParseDKIM reads a key record. The error is a *KeyError that says why no
// verifier can use it; the key then has what could be read. An empty p, which
// revokes the key, is no error. Unknown tags are ignored, as verifiers do.
func ParseDKIM(v Value) (DKIMKey, error) {
	k := DKIMKey{Type: KeyRSA}
	tags := splitTags(string(v))
	if err := checkDKIMTags(tags); err != nil {
		return k, err
	}
	var p string
	for _, t := range tags {
		if t.Name == "p" {
			p = t.Value
		} else {
			k.set(t)
		}
	}
	data, err := decodeBase64(p)
	if err != nil {
		return k, err
	}
	k.Data = data
	return k, k.check()
}

// checkDKIMTags checks what makes a tag list a key record at all.
func checkDKIMTags(tags []Tag) error {
	seen := make(map[string]bool, len(tags))
	for i, t := range tags {
		switch {
		case t.Name == "":
			return &KeyError{KeySyntax, "a part of it is not NAME=VALUE; parts are separated by semicolons"}
		case seen[t.Name]:
			return &KeyError{KeyDuplicate, fmt.Sprintf("the tag %s= stands in it twice", t.Name)}
		case t.Name == "v" && (i > 0 || t.Value != dkimVersion):
			return &KeyError{KeyVersion, "v= must be DKIM1 and stand first"}
		}
		seen[t.Name] = true
	}
	if !seen["p"] {
		return &KeyError{KeyMissing, "it has no p=, the key itself; it may have been cut off when it was copied"}
	}
	return nil
}

func (k *DKIMKey) set(t Tag) {
	switch t.Name {
	case "v":
	case "k":
		k.Type = cmp.Or(KeyType(strings.ToLower(t.Value)), KeyRSA)
	case "h":
		k.Hashes = splitList(strings.ToLower(t.Value), ":")
	case "s":
		k.Services = splitList(strings.ToLower(t.Value), ":")
	case "t":
		k.setFlags(splitList(strings.ToLower(t.Value), ":"))
	case "n":
		k.Notes = decodeNotes(t.Value)
	default:
		k.Other = append(k.Other, t)
	}
}

func (k *DKIMKey) setFlags(flags []string) {
	for _, f := range flags {
		switch f {
		case "y":
			k.Testing = true
		case "s":
			k.Strict = true
		default:
			k.Flags = append(k.Flags, f)
		}
	}
}

// decodeBase64 decodes p, in which white space may stand anywhere and the
// padding may be missing (RFC 6376 2.10, 3.2).
func decodeBase64(s string) ([]byte, error) {
	digits := strings.Join(strings.Fields(s), "")
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(digits, "="))
	if err != nil {
		return nil, &KeyError{KeyBase64, "the key is not base64; copy it again, whole and without dots or quotes"}
	}
	return data, nil
}

// check tells why the key material can't be used.
func (k DKIMKey) check() error {
	if k.Revoked() {
		return nil
	}
	if err := refuseSecret(k.Data); err != nil {
		return err
	}
	switch k.Type {
	case KeyRSA, "":
		if k.rsa() == nil {
			return &KeyError{KeyUnusable, "the record says k=rsa, but its p= is no RSA public key"}
		}
	case KeyEd25519:
		if len(k.Data) != ed25519.PublicKeySize {
			return &KeyError{KeyUnusable, fmt.Sprintf("an Ed25519 key has 32 bytes, this p= has %d (RFC 8463 4)", len(k.Data))}
		}
	default:
		return &KeyError{KeyUnusable, "its key type k= is neither rsa nor ed25519"}
	}
	return nil
}

// Revoked reports whether the record withdraws its key.
func (k DKIMKey) Revoked() bool { return len(k.Data) == 0 }

// rsa returns the RSA key, nil where Data holds none.
func (k DKIMKey) rsa() *rsa.PublicKey {
	if key, err := x509.ParsePKIXPublicKey(k.Data); err == nil {
		public, _ := key.(*rsa.PublicKey)
		return public
	}
	public, err := x509.ParsePKCS1PublicKey(k.Data)
	if err != nil {
		return nil
	}
	return public
}

// Bits is the length of the key: of the modulus for RSA, 256 for Ed25519, 0
// for what is no key.
func (k DKIMKey) Bits() int {
	switch k.Type {
	case KeyRSA, "":
		if public := k.rsa(); public != nil {
			return public.N.BitLen()
		}
	case KeyEd25519:
		if len(k.Data) == ed25519.PublicKeySize {
			return 256
		}
	}
	return 0
}

// minRSABits is the least length that verifiers accept (RFC 8301 3.2).
const minRSABits = 1024

// Verifies reports whether a signature made with the key can pass anywhere:
// verifiers ignore shorter keys and SHA-1 (RFC 8301) and keys that are not for
// email (RFC 6376 3.6.1). Testing changes nothing about that.
func (k DKIMKey) Verifies() bool {
	if bits := k.Bits(); bits == 0 || k.Type != KeyEd25519 && bits < minRSABits {
		return false
	}
	hash := len(k.Hashes) == 0 || slices.Contains(k.Hashes, "sha256")
	return hash && k.ForEmail()
}

// ForEmail reports whether the record admits mail (tag s).
func (k DKIMKey) ForEmail() bool {
	return len(k.Services) == 0 || slices.Contains(k.Services, "*") || slices.Contains(k.Services, "email")
}

// Fingerprint is the SHA-256, in hex, of the key: of the SubjectPublicKeyInfo
// for RSA, whichever form is published, of the 32 bytes for Ed25519. A revoked
// key has none.
func (k DKIMKey) Fingerprint() string {
	if k.Revoked() {
		return ""
	}
	data := k.Data
	if public := k.rsa(); k.Type != KeyEd25519 && public != nil {
		if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
			data = der
		}
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// ShortFingerprint is the beginning of Fingerprint, for people to compare.
func (k DKIMKey) ShortFingerprint() string {
	f := k.Fingerprint()
	return f[:min(16, len(f))]
}

// String prints the record in canonical form: v, k, then the other tags that
// are set, and p at the end.
func (k DKIMKey) String() string {
	if k.Revoked() && k.bare() {
		return string(RevokedDKIM)
	}
	var w tagWriter
	w.add("v", dkimVersion)
	w.add("k", string(cmp.Or(k.Type, KeyRSA)))
	for _, t := range k.limits() {
		w.addTag(t)
	}
	w.addSet("n", encodeNotes(k.Notes))
	w.addTags(k.Other)
	w.add("p", base64.StdEncoding.EncodeToString(k.Data))
	return w.String()
}

// Value is String as the value of a TXT record.
func (k DKIMKey) Value() Value { return Value(k.String()) }

// limits are the tags that limit what the key is good for.
func (k DKIMKey) limits() []Tag {
	var flags []string
	if k.Testing {
		flags = append(flags, "y")
	}
	if k.Strict {
		flags = append(flags, "s")
	}
	flags = append(flags, k.Flags...)
	var tags []Tag
	for _, t := range []Tag{{"h", strings.Join(k.Hashes, ":")}, {"s", strings.Join(k.Services, ":")}, {"t", strings.Join(flags, ":")}} {
		if t.Value != "" {
			tags = append(tags, t)
		}
	}
	return tags
}

// bare reports whether nothing but key and type is set.
func (k DKIMKey) bare() bool {
	return cmp.Or(k.Type, KeyRSA) == KeyRSA && len(k.limits()) == 0 && k.Notes == "" && len(k.Other) == 0
}

// encodeNotes prints text as qp-section (RFC 6376 3.6.1, RFC 2045 6.7):
// everything but visible ASCII and inner spaces is escaped, and so are the
// characters that a tag list gives a meaning.
func encodeNotes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		inner := c == ' ' && i > 0 && i < len(s)-1
		if visible := c > ' ' && c < 0x7f && c != ';' && c != '='; visible || inner {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

// decodeNotes reads qp-section; what is no escape stays as it is.
func decodeNotes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.WriteByte(c[0])
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
