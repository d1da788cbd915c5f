package records

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// KeyProblem is why text is no usable DKIM key.
type KeyProblem string

// The problems.
const (
	KeySyntax      KeyProblem = "syntax"      // not a tag list
	KeyDuplicate   KeyProblem = "duplicate"   // a tag twice (RFC 6376 3.2)
	KeyVersion     KeyProblem = "version"     // v= that is not DKIM1 or not first
	KeyMissing     KeyProblem = "missing"     // no p=
	KeyBase64      KeyProblem = "base64"      // p= that doesn't decode
	KeyUnusable    KeyProblem = "not-a-key"   // p= that is no public key of the type
	KeyPrivate     KeyProblem = "private-key" // a private key: it must never be published
	KeyCertificate KeyProblem = "certificate" // a certificate or a request for one
)

// KeyError says why text is no usable DKIM key. Its text never contains any
// part of the key.
type KeyError struct {
	Problem KeyProblem
	Detail  string
}

func (e *KeyError) Error() string { return e.Detail }

var (
	errPrivateKey = &KeyError{KeyPrivate, "this is a PRIVATE key; whoever has it can sign mail in your name. " +
		"Don't commit it, replace it if anybody has seen it, and give the public key instead"}
	errCertificate = &KeyError{KeyCertificate, "this is a certificate, not a public key; " +
		"take the key out of it: openssl x509 -in FILE -noout -pubkey"}
	errRequest = &KeyError{KeyCertificate, "this is a certificate request, not a public key; " +
		"take the key out of it: openssl req -in FILE -noout -pubkey"}
)

// DKIMKeyFrom reads a public key as people have it: PEM, bare base64, or the
// record as a dashboard or zone file shows it, with quotes, chunks, wrapped
// lines and escaped semicolons. RSA or Ed25519 is derived from the key. The
// error is a *KeyError.
func DKIMKeyFrom(text string) (DKIMKey, error) {
	if strings.Contains(text, "PRIVATE KEY-----") {
		return DKIMKey{}, errPrivateKey
	}
	if strings.Contains(text, "-----BEGIN") {
		return keyFromPEM(text)
	}
	record := unquoteRecord(text)
	switch {
	case record == "":
		return DKIMKey{}, &KeyError{KeyMissing, "there is no key: the text is empty"}
	case isKeyRecord(record):
		return keyFromRecord(record)
	}
	data, err := decodeBase64(record)
	if err != nil {
		return DKIMKey{}, err
	}
	return keyFromData(data)
}

// keyFromRecord keeps what the record says, and the key in its published form,
// unless the key is of another type than it says.
func keyFromRecord(record string) (DKIMKey, error) {
	k, err := ParseDKIM(Value(record))
	var fault *KeyError
	if errors.As(err, &fault) && fault.Problem == KeyVersion {
		k, err = ParseDKIM(Value(versionFirst(record)))
	}
	if errors.As(err, &fault) && fault.Problem == KeyUnusable {
		derived, problem := keyFromData(k.Data)
		k.Type, k.Data, err = derived.Type, derived.Data, problem
	}
	if err == nil && k.Revoked() {
		err = &KeyError{KeyMissing, "its p= is empty: that revokes a key, it is none"}
	}
	return k, err
}

// versionFirst moves the version to where it must stand (RFC 6376 3.6.1).
func versionFirst(record string) string {
	version := Tag{"v", dkimVersion}
	tags := splitTags(record)
	i := slices.Index(tags, version)
	if i < 0 {
		return record
	}
	var w tagWriter
	w.addTag(version)
	w.addTags(slices.Delete(tags, i, i+1))
	return w.String()
}

// keyFromPEM reads the first PEM block, also where copying has destroyed its
// lines or written them as \n, which encoding/pem refuses.
func keyFromPEM(text string) (DKIMKey, error) {
	text = strings.ReplaceAll(text, `\n`, "\n")
	_, text, _ = strings.Cut(text, "-----BEGIN ")
	label, text, _ := strings.Cut(text, "-----")
	body, _, found := strings.Cut(text, "-----END ")
	switch {
	case !found:
		return DKIMKey{}, &KeyError{KeySyntax, "the PEM block is damaged; copy it again from -----BEGIN to -----END"}
	case label == "CERTIFICATE":
		return DKIMKey{}, errCertificate
	case strings.HasSuffix(label, "CERTIFICATE REQUEST"):
		return DKIMKey{}, errRequest
	case label != "PUBLIC KEY" && label != "RSA PUBLIC KEY":
		return DKIMKey{}, &KeyError{KeyUnusable, "the PEM block is none of a public key; it must begin with -----BEGIN PUBLIC KEY-----"}
	}
	data, err := decodeBase64(body)
	if err != nil {
		return DKIMKey{}, err
	}
	return keyFromData(data)
}

// keyFromData derives the type of a key. An RSA key is published in the form
// that most verifiers expect, SubjectPublicKeyInfo.
func keyFromData(data []byte) (DKIMKey, error) {
	if err := refuseSecret(data); err != nil {
		return DKIMKey{}, err
	}
	if len(data) == ed25519.PublicKeySize {
		return DKIMKey{Type: KeyEd25519, Data: data}, nil
	}
	public, err := parsePublic(data)
	if err != nil {
		return DKIMKey{}, &KeyError{KeyUnusable, fmt.Sprintf("these %d bytes are no RSA or Ed25519 public key; "+
			"the key may have been cut off when it was copied", len(data))}
	}
	return NewDKIMKey(public)
}

func parsePublic(der []byte) (crypto.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err == nil {
		return public, nil
	}
	return x509.ParsePKCS1PublicKey(der)
}

// refuseSecret refuses what must not or can't be published as a key.
func refuseSecret(data []byte) error {
	switch {
	case isPrivateKey(data):
		return errPrivateKey
	case isCertificate(data):
		return errCertificate
	case isRequest(data):
		return errRequest
	}
	return nil
}

// isPrivateKey recognises a private key, also a damaged one: PKCS #1, PKCS #8
// and SEC 1 begin with a sequence whose first member is the version 0 or 1,
// while public keys begin with a modulus or an algorithm. The others are an
// OpenSSH file and the 64 bytes of an Ed25519 key.
func isPrivateKey(data []byte) bool {
	if len(data) == ed25519.PrivateKeySize || bytes.HasPrefix(data, []byte("openssh-key-v1")) {
		return true
	}
	body, ok := derBody(data)
	version := []byte{0x02, 0x01}
	return ok && len(body) > 2 && bytes.HasPrefix(body, version) && body[2] <= 1
}

// derBody returns what follows the header of a DER sequence.
func derBody(data []byte) (body []byte, ok bool) {
	if len(data) < 2 || data[0] != 0x30 {
		return nil, false
	}
	header := 2
	if data[1] >= 0x80 {
		header += int(data[1] & 0x7f)
	}
	if len(data) < header {
		return nil, false
	}
	return data[header:], true
}

func isCertificate(data []byte) bool {
	_, err := x509.ParseCertificate(data)
	return err == nil
}

func isRequest(data []byte) bool {
	_, err := x509.ParseCertificateRequest(data)
	return err == nil
}

// isKeyRecord reports whether text is a tag list rather than base64.
func isKeyRecord(text string) bool {
	name, _, found := strings.Cut(text, "=")
	return strings.Contains(text, ";") || found && len(trimFolding(name)) == 1
}

// copied maps what word processors make of a quote and web pages of a space to
// what was meant.
var copied = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "\u00a0", " ", "\u202f", " ", "\u200b", "", "\ufeff", "")

// unquoteRecord joins the chunks of a quoted record, leaving out what stands
// around them, and resolves escapes (RFC 1035 5.1). Without quotes the text is
// the record, from its version on: names, types and labels may stand before it.
func unquoteRecord(text string) string {
	text = copied.Replace(text)
	var inside, outside strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if escaped, n := unescapeText(text[i+1:]); c == '\\' && n > 0 {
			i += n
			c = escaped
		} else if c == '"' {
			quoted = !quoted
			continue
		}
		switch {
		case quoted:
			inside.WriteByte(c)
		default:
			outside.WriteByte(c)
		}
	}
	record := outside.String()
	if inside.Len() > 0 {
		record = inside.String()
	}
	record = strings.Trim(record, foldingSpace+"\"'`")
	if i := strings.Index(record, "v="+dkimVersion); i > 0 && !strings.ContainsAny(record[:i], "=;") {
		return record[i:]
	}
	return record
}
