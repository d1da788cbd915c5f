package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// part is one kind of object in a chain.
type part string

// The parts, in the order in which a listing returns those of one entry.
const (
	partIntent  part = "intent"
	partOutcome part = "outcome"
	partPruned  part = "pruned"
)

// document is an object's contents.
type document interface{ header() *Header }

// The digest stands at the end of an object, so that what it covers is all the
// bytes before it and a closing brace.
const (
	digestPrefix = "sha256:"
	sealStart    = `,"digest":"` + digestPrefix
	sealEnd      = `"}` + "\n"
	sealSize     = len(sealStart) + 2*sha256.Size + len(sealEnd)
)

// seal returns an object's bytes and notes its digest in the header. The JSON
// is canonical: members in the order of the types, map keys sorted, no spaces.
func seal(p part, doc document) ([]byte, error) {
	h := doc.header()
	h.FormatVersion, h.Kind = FormatVersion, string(p)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("encoding the %s of %s: %w", p, h.ID(), err)
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	sum := sha256.Sum256(body)
	digits := hex.EncodeToString(sum[:])
	h.Digest = digestPrefix + digits
	return append(body[:len(body)-1], sealStart+digits+sealEnd...), nil
}

// unseal returns the digest of an object; ok is false where its bytes are not
// those that were sealed.
func unseal(data []byte) (digest string, ok bool) {
	if len(data) < sealSize {
		return "", false
	}
	body, tail := data[:len(data)-sealSize], string(data[len(data)-sealSize:])
	h := sha256.New()
	h.Write(body)
	h.Write([]byte{'}'})
	digits := hex.EncodeToString(h.Sum(nil))
	return digestPrefix + digits, tail == sealStart+digits+sealEnd
}

// open reads an object that must be the given part of the given entry. The
// error is a *DamageError or a *VersionError.
func open(data []byte, want Header, doc document) error {
	digest, intact := unseal(data)
	if version, ok := versionOf(data); ok && !known(version) {
		return &VersionError{ID: want.ID(), Version: version}
	}
	if !intact {
		return damaged(want.Zone, want.Seq, "its %s is damaged: the digest is wrong", want.Kind)
	}
	if err := json.Unmarshal(data, doc); err != nil {
		return damaged(want.Zone, want.Seq, "its %s can't be decoded: %v", want.Kind, err)
	}
	h := doc.header()
	h.Digest = digest
	if h.Zone != want.Zone || h.Seq != want.Seq || h.Kind != want.Kind {
		return damaged(want.Zone, want.Seq, "in the place of its %s is the %s of %s", want.Kind, h.Kind, h.ID())
	}
	return nil
}

// versionOf finds the format version, in a damaged object too where possible.
func versionOf(data []byte) (version string, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"format_version":"`))
	if !ok {
		return "", false
	}
	text, _, ok := bytes.Cut(rest, []byte(`"`))
	return string(text), ok && len(text) < 20 && strings.Trim(string(text), "0123456789.") == ""
}

func known(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	ours, _, _ := strings.Cut(FormatVersion, ".")
	return major == ours
}
