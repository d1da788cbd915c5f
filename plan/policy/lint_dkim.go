package policy

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// dkimRules are about DKIM keys (RFC 6376, RFC 8301, RFC 8463).
var dkimRules = []Rule{
	{
		ID: "dkim-syntax", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "a key record that is no tag list, has a tag twice, or another version than DKIM1",
		Why:   "Verifiers discard the record as if there were no key, so every signature made with it fails.",
		Fix:   "publish the record as v=DKIM1; k=rsa; p=KEY, each tag once and v first",
		reads: true, look: lookKeyProblem(records.KeySyntax, records.KeyDuplicate, records.KeyVersion),
	},
	{
		ID: "dkim-no-p", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "a key record without p=",
		Why:   "The key itself is missing, mostly since the record was cut off when it was copied; no signature can be verified with it.",
		Fix:   "copy the record again, to its end",
		reads: true, look: lookKeyProblem(records.KeyMissing),
	},
	{
		ID: "dkim-revoked", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "a revoked key (an empty p=): an error where the configuration has the selector in use",
		Why:   "An empty p= tells verifiers that the key was withdrawn, so mail that is still signed with it fails.",
		Fix:   "delete the record 30 days after the last message was signed with it",
		look:  lookRevoked,
	},
	{
		ID: "dkim-base64", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "a p= that is not base64",
		Why:   "Verifiers can't decode the key. The usual cause is a key that a dashboard shows shortened, with dots in its middle.",
		Fix:   "copy the key again with the dashboard's copy button",
		reads: true, look: lookKeyProblem(records.KeyBase64),
	},
	{
		ID: "dkim-not-a-key", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.1, 8463 4",
		Finds: "a p= that decodes to something else than a public key of the type in k=",
		Why:   "Verifiers take SubjectPublicKeyInfo or, by erratum 3017, PKCS #1 for rsa, and 32 bytes for ed25519; anything else verifies nothing.",
		Fix:   "publish the public key that belongs to the signer's private key",
		reads: true, look: lookKeyProblem(records.KeyUnusable, records.KeyCertificate),
	},
	{
		ID: "dkim-private-key", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "",
		Finds: "a private key where a public one belongs",
		Why:   "Whoever reads it, in the DNS or in the history of a repository, can sign mail as this domain.",
		Fix:   "revoke this key now, make a new pair, and publish its public key under a new selector",
		reads: true, look: lookPrivateKey,
	},
	{
		ID: "dkim-rsa-small", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8301 3.2",
		Finds: "an RSA key of less than 1024 bits",
		Why:   "Verifiers must not accept it: such keys have been factored, and forged mail then carries a valid signature.",
		Fix:   "make a key of 2048 bits under a new selector",
		look:  lookBits(0, 1023, "an RSA key of %d bits verifies nowhere: receivers accept 1024 bits and more"),
	},
	{
		ID: "dkim-rsa-1024", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "8301 3.2",
		Finds: "an RSA key of 1024 to 2047 bits; an info where a sender's provider made it",
		Why:   "Signers should use at least 2048 bits: 1024 are within reach of an attacker with means.",
		Fix:   "make a key of 2048 bits under a new selector, and rotate to it",
		look:  lookShortKey,
	},
	{
		ID: "dkim-rsa-big", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "8301 3.2, 6376 3.3.3",
		Finds: "an RSA key of more than 2048 bits",
		Why:   "The answer no longer fits into 512 bytes, so a verifier behind a resolver without EDNS or TCP finds no key; beyond 4096 bits verifiers need not accept the key at all.",
		Fix:   "use 2048 bits, and an Ed25519 key beside it for more strength",
		look:  lookBigKey,
	},
	{
		ID: "dkim-ed25519-only", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "8463 3",
		Finds: "a signer that has Ed25519 keys only",
		Why:   "Many receivers, Gmail and Microsoft among them, don't verify Ed25519 and treat the mail as unsigned.",
		Fix:   "sign with an RSA key of 2048 bits as well, under a selector of its own",
		look:  lookEd25519Only,
	},
	{
		ID: "dkim-sha1", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8301 3.1",
		Finds: "a key whose h= leaves out sha256",
		Why:   "Verifiers must not accept rsa-sha1, so a key that admits no other hash verifies nothing.",
		Fix:   "drop h=",
		look:  lookHashes,
	},
	{
		ID: "dkim-testing", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "a key in test mode (t=y)",
		Why:   "Verifiers must not treat mail signed with it otherwise than unsigned mail, and some then give no pass to DMARC.",
		Fix:   "drop t=y once the signer works",
		look:  lookTesting,
	},
	{
		ID: "dkim-t-s", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "a key with t=s of a signer that sends from subdomains",
		Why:   "With t=s the domain of i= must be the one of d=; a signature for a subdomain fails.",
		Fix:   "drop s from t=",
		look:  lookStrict,
	},
	{
		ID: "dkim-service", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "a key whose s= has neither email nor *",
		Why:   "Such a key is not for mail, so verifiers ignore it.",
		Fix:   "drop s=",
		look:  lookService,
	},
	{
		ID: "dkim-multiple-txt", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.2.2",
		Finds: "several TXT records at one selector",
		Why:   "What verifiers make of that is undefined: they take one, or none. Mostly the chunks of one key were entered as records of their own.",
		Fix:   "publish one record; a dkim block joins chunks and takes the place of all that stands there",
		reads: true, look: lookSeveralKeys,
	},
	{
		ID: "dkim-shape", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.2.1",
		Finds: "a key at a name where no verifier looks for one",
		Why:   "Verifiers ask for SELECTOR._domainkey.DOMAIN and nothing else. Panels that append the zone to what was pasted produce doubled names.",
		Fix:   "publish it at SELECTOR._domainkey.DOMAIN; in a dkim block the label is the selector alone",
		reads: true, look: lookKeyShape,
	},
	{
		ID: "dkim-cname-dead", Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "6376 3.6.2",
		Finds: "a selector's CNAME whose target has no key; a warning within 72 hours of its creation",
		Why:   "Verifiers follow the CNAME and find no key, so signatures with this selector fail. Some providers publish the target only days after they see the CNAME.",
		Fix:   "compare the target with the provider's dashboard, and press its verify button",
		look:  lookDeadAlias, ask: askAliases,
	},
	{
		ID: "dkim-escapes", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.6.1",
		Finds: "backslashes, quotes or spaces that copying has put into a key record",
		Why:   "Zone files escape semicolons and quote strings; pasted into a panel the marks become part of the value, and verifiers can't read the record.",
		Fix:   "publish the value without them; a dkim block takes it as the dashboard shows it",
		look:  lookEscapes,
	},
	{
		ID: "dkim-wildcard", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 6.1.2",
		Finds: "a wildcard below _domainkey",
		Why:   "Every selector then answers, also those that were never made or were revoked by deletion, and a key that leaks is valid under any name.",
		Fix:   "publish each selector by its name",
		reads: true, look: lookWildcardKey,
	},
	{
		ID: "dkim-reuse", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "M3AAWG DKIM Key Rotation",
		Finds: "one public key under several selectors or domains",
		Why:   "When its private key leaks, all of them must be rotated at once, and rotating between the two changes nothing.",
		Fix:   "make a key for each selector of each domain",
		reads: true, look: lookReusedKey,
	},
	{
		ID: "dkim-age", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "M3AAWG DKIM Key Rotation",
		Finds: "a self-managed key that is older than 180 days",
		Why:   "The longer a key signs, the more copies of it lie in backups and on retired servers.",
		Fix:   "publish a new key under a new selector, switch the signer, and revoke this one when reports no longer show it; an exception block admits another period",
		look:  lookKeyAge,
	},
	{
		ID: "dkim-undeclared-selector", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "",
		Finds: "a live selector that the configuration doesn't know",
		Why:   "Whoever has its private key can send mail that passes as this domain: a sender that was forgotten, or one that left.",
		Fix:   "declare it if it is in use, otherwise revoke it with state = \"revoked\"",
		look:  lookUndeclaredKey,
	},
	{
		ID: "dkim-obsolete", Severity: plan.SeverityInfo, Needs: NeedsNothing, RFC: "5617, 6376 C",
		Finds: "what DomainKeys and ADSP have left behind: a policy at _domainkey, an _adsp record, the tag g=",
		Why:   "Nobody reads them since DMARC took their place, and readers of the zone may think that they protect something.",
		Fix:   "delete it",
		look:  lookObsolete,
	},
	{
		ID: "dkim-sole-selector", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "M3AAWG DKIM Key Rotation",
		Finds: "a sender under p=reject with one selector",
		Why:   "A key can only be rotated without a gap beside a second selector; in an emergency all of the sender's mail is rejected until caches let go of the old key.",
		Fix:   "publish a second selector, so that the sender can switch at once",
		look:  lookSoleSelector,
	},
}

// keys goes through the key records, without the aliases.
func (v *view) keys() iter.Seq[*dkimStated] {
	list := v.dkim()
	return func(yield func(*dkimStated) bool) {
		for i := range list {
			if list[i].cname == "" && !yield(&list[i]) {
				return
			}
		}
	}
}

// usable goes through the keys that can be read and are not revoked.
func (v *view) usable() iter.Seq[*dkimStated] {
	return func(yield func(*dkimStated) bool) {
		for d := range v.keys() {
			if d.err == nil && !d.key.Revoked() && !yield(d) {
				return
			}
		}
	}
}

// eachKey finds the same fault with every usable key that has it.
func (v *view) eachKey(wrong func(*dkimStated) bool, message string) []fault {
	var out []fault
	for d := range v.usable() {
		if wrong(d) {
			out = append(out, faultf(d.stated, "%s", message))
		}
	}
	return out
}

// owner is the domain that signs with the selector.
func (d *dkimStated) owner() records.Name {
	_, owner, _ := strings.Cut(string(d.Key.Name), "._domainkey.")
	return records.Name(owner)
}

// problem is why the record can't be used, empty where it can or where
// dkim-escapes and dns-chunk tell of marks that copying has put in.
func (d *dkimStated) problem() records.KeyProblem {
	if d.err == nil {
		return ""
	}
	if d.isSecret() {
		return records.KeyPrivate
	}
	var fault *records.KeyError
	if errors.As(d.err, &fault) && d.pasted() == "" && !hasChunkMarks(d.Value) {
		return fault.Problem
	}
	return ""
}

// isSecret reports whether what can't be read is a private key, in whichever
// form.
func (d *dkimStated) isSecret() bool {
	var fault *records.KeyError
	if errors.As(d.err, &fault) && fault.Problem == records.KeyPrivate {
		return true
	}
	_, err := records.DKIMKeyFrom(string(d.Value))
	return errors.As(err, &fault) && fault.Problem == records.KeyPrivate
}

func lookKeyProblem(problems ...records.KeyProblem) func(*view) []fault {
	return func(v *view) []fault {
		var out []fault
		for d := range v.keys() {
			if slices.Contains(problems, d.problem()) {
				out = append(out, faultf(d.stated, "verifiers can't use the record, so mail signed with it fails: %v", d.err))
			}
		}
		return out
	}
}

// inUse reports whether the configuration has a selector with a key in use.
func (s *Subject) inUse(d *dkimStated) bool {
	return d.owner() == s.Domain.Name && slices.ContainsFunc(s.Domain.DKIM, func(k records.DKIM) bool { return k.Selector == d.selector && !k.Revoked })
}

func lookRevoked(v *view) []fault {
	var out []fault
	for d := range v.keys() {
		switch {
		case d.err != nil || !d.key.Revoked():
		case v.inUse(d):
			out = append(out, faultf(d.stated, "the key is revoked (its p= is empty), but the configuration has this selector in use: mail signed with it fails").
				mend("publish the key again, or take the selector out of the configuration"))
		default:
			out = append(out, faultf(d.stated, "the key is revoked: mail that is still signed with it fails").as(plan.SeverityInfo))
		}
	}
	return out
}

func lookPrivateKey(v *view) []fault {
	const message = "this is a PRIVATE key: whoever reads it can sign mail as this domain"
	var out []fault
	for d := range v.keys() {
		if d.err != nil && d.isSecret() {
			out = append(out, faultf(d.stated, message))
		}
	}
	for i := range v.values {
		s := &v.values[i]
		if s.Kind != records.KindDKIM && s.Key.Type == records.TypeTXT && strings.Contains(string(s.Value), "PRIVATE KEY-----") {
			out = append(out, faultf(s, message))
		}
	}
	return out
}

func (d *dkimStated) isRSA() bool { return d.key.Type != records.KeyEd25519 }

func lookBits(from, to int, format string) func(*view) []fault {
	return func(v *view) []fault {
		var out []fault
		for d := range v.usable() {
			if d.isRSA() && from <= d.bits && d.bits <= to {
				out = append(out, faultf(d.stated, format, d.bits))
			}
		}
		return out
	}
}

// goodRSABits is what signers should use at least (RFC 8301 3.2), and the most
// whose answer fits into 512 bytes.
const goodRSABits = 2048

func lookShortKey(v *view) []fault {
	found := lookBits(1024, goodRSABits-1, "an RSA key of %d bits; signers should use 2048")(v)
	for i, f := range found {
		if sender := v.senderOf(f.at.Key.Name); sender != "" {
			found[i] = f.as(plan.SeverityInfo).mend("ask " + sender + " for a key of 2048 bits: it makes the key, so there is nothing to do in the DNS")
		}
	}
	return found
}

// senderOf names the sender that signs with the selector at a name.
func (s *Subject) senderOf(name records.Name) string {
	for i := range s.Domain.Senders {
		for _, selector := range s.Domain.Senders[i].Selectors {
			if records.DKIMName(selector, s.Domain.Name) == name {
				return s.Domain.Senders[i].Type
			}
		}
	}
	return ""
}

// mostRSABits is the longest key that verifiers must accept (RFC 8301 3.2).
const mostRSABits = 4096

func lookBigKey(v *view) []fault {
	var out []fault
	for d := range v.usable() {
		switch {
		case !d.isRSA() || d.bits <= goodRSABits:
		case d.bits > mostRSABits:
			out = append(out, faultf(d.stated, "an RSA key of %d bits: verifiers need not accept more than 4096", d.bits))
		default:
			out = append(out, faultf(d.stated, "an RSA key of %d bits: its record doesn't fit into an answer of 512 bytes, so resolvers without EDNS or TCP find no key", d.bits))
		}
	}
	return out
}

// signer is who signs with some selectors: a sender or, without a name, the
// domain's own servers.
type signer struct {
	name string
	keys []*dkimStated
}

// signers groups the domain's own selectors by who signs with them.
func (v *view) signers() []signer {
	list := v.dkim()
	out := make([]signer, 1, 1+len(v.Domain.Senders))
	for i := range list {
		d := &list[i]
		if d.owner() != v.Domain.Name {
			continue
		}
		name := v.senderOf(d.Key.Name)
		at := slices.IndexFunc(out, func(s signer) bool { return s.name == name })
		if at < 0 {
			at, out = len(out), append(out, signer{name: name})
		}
		out[at].keys = append(out[at].keys, d)
	}
	return slices.DeleteFunc(out, func(s signer) bool { return len(s.keys) == 0 })
}

func lookEd25519Only(v *view) []fault {
	var out []fault
	for _, s := range v.signers() {
		if d := s.ed25519Alone(); d != nil {
			out = append(out, faultf(d.stated, "this signer has no RSA key beside it: receivers that don't know Ed25519 take its mail for unsigned"))
		}
	}
	return out
}

// ed25519Alone is the first key of a signer all of whose keys are Ed25519. An
// alias may lead to any.
func (s signer) ed25519Alone() (first *dkimStated) {
	for _, d := range s.keys {
		switch {
		case d.cname != "" || d.err != nil:
			return nil
		case d.key.Revoked():
		case d.isRSA():
			return nil
		case first == nil:
			first = d
		}
	}
	return first
}

func lookHashes(v *view) []fault {
	return v.eachKey(func(d *dkimStated) bool {
		return len(d.key.Hashes) > 0 && !slices.Contains(d.key.Hashes, "sha256")
	}, "h= doesn't admit sha256, the only hash that verifiers accept, so no signature passes")
}

func lookTesting(v *view) []fault {
	return v.eachKey(func(d *dkimStated) bool { return d.key.Testing },
		"t=y tells verifiers that this is a test, so they treat the mail as if it were unsigned")
}

func lookService(v *view) []fault {
	return v.eachKey(func(d *dkimStated) bool { return !d.key.ForEmail() },
		"s= has neither email nor *, so verifiers don't use the key for mail")
}

func lookStrict(v *view) []fault {
	var out []fault
	for d := range v.usable() {
		if !d.key.Strict {
			continue
		}
		if from, ok := v.sendsFromBelow(d); ok {
			out = append(out, faultf(d.stated, "t=s lets it sign for this domain alone, and %s is a From domain of the signer: signatures with i=@%s fail", from, from))
		}
	}
	return out
}

// sendsFromBelow names a subdomain that the signer of a key sends from.
func (s *Subject) sendsFromBelow(d *dkimStated) (records.Name, bool) {
	own := s.senderOf(d.Key.Name)
	for i := range s.Domain.Senders {
		sender := &s.Domain.Senders[i]
		if own != "" && sender.Type != own {
			continue
		}
		for _, from := range sender.From {
			if from != d.owner() && from.In(d.owner()) {
				return from, true
			}
		}
	}
	return "", false
}

func lookSeveralKeys(v *view) []fault {
	var out []fault
	for i, done := 0, (*dkimStated)(nil); i < len(v.dkim()); i++ {
		d := &v.dkim()[i]
		if d.cname != "" || done != nil && done.Key == d.Key {
			continue
		}
		done = d
		if n := v.together(d.Key); n > 1 {
			out = append(out, faultf(v.newest(d.stated), "%d TXT records at one selector: verifiers take one of them, or none", n))
		}
	}
	return out
}

// together counts the values of a set: those that are there, and for a
// declared one those besides it that the plan leaves alone.
func (v *view) together(k records.Key) int {
	n := len(v.at(k))
	if !v.declared() {
		return n
	}
	live := v.liveView().at(k)
	for i := range live {
		if !live[i].both && v.isForeign(&live[i]) {
			n++
		}
	}
	return n
}

// newest is the first value of a set that is not both live and declared, or
// else the given one.
func (v *view) newest(s *stated) *stated {
	set := v.at(s.Key)
	if i := slices.IndexFunc(set, func(s stated) bool { return !s.both }); i >= 0 {
		return &set[i]
	}
	return s
}

func lookKeyShape(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		name := string(s.Key.Name)
		switch {
		case s.Kind != records.KindDKIM && s.Key.Type == records.TypeTXT && beginsKey(s.Value):
			out = append(out, faultf(s, "nobody looks for a DKIM key here: its name lacks ._domainkey."))
		case strings.HasPrefix(name, "_domainkey.") && beginsKey(s.Value):
			out = append(out, faultf(s, "nobody looks for a DKIM key here: its name lacks a selector"))
		case s.Kind == records.KindDKIM && isDoubled(s.Key.Name, v.Domain.Zone):
			out = append(out, faultf(s, "the zone stands in its name twice, so verifiers find no key where they look"))
		case s.Kind == records.KindDKIM && strings.Count(name, "_domainkey") > 1:
			out = append(out, faultf(s, "_domainkey stands in its name twice, so verifiers find no key where they look"))
		}
	}
	return out
}

func beginsKey(v records.Value) bool {
	const version = "v=dkim1"
	return len(v) >= len(version) && strings.EqualFold(string(v[:len(version)]), version)
}

func askAliases(v *view) []Question {
	var out []Question
	for _, d := range v.dkim() {
		if d.cname != "" {
			out = append(out, Question{d.cname, records.TypeTXT})
		}
	}
	return out
}

func lookDeadAlias(v *view) []fault {
	list := v.dkim()
	var out []fault
	for i := range list {
		d := &list[i]
		if d.cname == "" {
			continue
		}
		what := v.noKeyAt(d.cname)
		if what == "" {
			continue
		}
		f := faultf(d.stated, "its target %s %s: verifiers find no key, so mail signed with this selector fails", d.cname, what)
		if v.isFresh(d.stated) {
			f = f.as(plan.SeverityWarning)
		}
		out = append(out, f)
	}
	return out
}

// noKeyAt says what is wrong with an alias's target, or nothing where that is
// all right or not known.
func (v *view) noKeyAt(target records.Name) string {
	a, ok := v.lookup(target, records.TypeTXT)
	switch {
	case !ok:
		return ""
	case a.NXDomain:
		return "doesn't exist"
	case len(a.Values) == 0:
		return "has no TXT record"
	case !slices.ContainsFunc(a.Values, func(t records.Value) bool { _, err := records.ParseDKIM(t); return err == nil }):
		return "has no DKIM key"
	}
	return ""
}

// publishLate is how long some providers take to publish what a new CNAME
// points to.
const publishLate = 72 * time.Hour

// isFresh reports whether a value is about to be written, or was within the
// time that providers need.
func (v *view) isFresh(s *stated) bool {
	if v.declared() && !s.both {
		return true
	}
	set, ok := v.Past.Set(s.Key)
	return ok && !set.Written.At.IsZero() && v.Clock.Now.Before(set.Written.At.Add(publishLate))
}

func lookEscapes(v *view) []fault {
	var out []fault
	for d := range v.keys() {
		if what := d.pasted(); what != "" {
			out = append(out, faultf(d.stated, "%s", what))
		}
	}
	return out
}

// pasted says what copying has put into the record, if anything. Notes may hold
// what they like (n=), and the marks of chunks are dns-chunk's.
func (d *dkimStated) pasted() string {
	if hasChunkMarks(d.Value) {
		return ""
	}
	for piece := range strings.SplitSeq(string(d.Value), ";") {
		name, value, _ := strings.Cut(piece, "=")
		name = strings.TrimSpace(name)
		switch {
		case name == "n":
		case strings.Contains(piece, `\`):
			return `a backslash stands in the value, as zone files escape semicolons ("\;"): verifiers read it as a part of the tag`
		case strings.ContainsAny(piece, "\"“”„"):
			return "quotes stand in the value, so verifiers can't read the tags that they enclose"
		case name == "p" && strings.ContainsAny(strings.TrimSpace(value), " \t\r\n"):
			return "spaces from a wrapped line stand in the key; the standard lets verifiers drop them, and not all do"
		}
	}
	return ""
}

func lookWildcardKey(v *view) []fault {
	var out []fault
	list := v.dkim()
	for i := range list {
		// A revoked key for every name is what parked domains publish (M3AAWG
		// Protecting Parked Domains).
		if strings.HasPrefix(list[i].selector, "*") && !(list[i].err == nil && list[i].cname == "" && list[i].key.Revoked()) {
			out = append(out, faultf(list[i].stated, "every selector of the domain answers with this one, made or not, revoked or not"))
		}
	}
	return out
}

func lookReusedKey(v *view) []fault {
	if len(v.dkim()) < 2 {
		return nil
	}
	var out []fault
	first := map[string]*dkimStated{}
	for d := range v.usable() {
		tail := string(d.key.Data[max(0, len(d.key.Data)-keyTail):])
		other, again := first[tail]
		switch {
		case !again:
			first[tail] = d
		case other.Key != d.Key && other.key.Fingerprint() == d.key.Fingerprint():
			out = append(out, faultf(d.stated, "it is the key of %s as well: a leak costs both, and rotating between them changes nothing", other.Key.Name))
		}
	}
	return out
}

// keyTail is how much of a key's end tells it from others: all forms of an RSA
// key end alike, and their fingerprints need not be computed where that differs.
const keyTail = 64

// keyAge is how long a self-managed key may sign.
const keyAge = 180 * 24 * time.Hour

func lookKeyAge(v *view) []fault {
	if !v.declared() {
		return nil
	}
	var out []fault
	for d := range v.usable() {
		made := v.madeAt(d)
		if age := v.Clock.Now.Sub(made); !made.IsZero() && age > keyAge {
			out = append(out, faultf(d.stated, "the key has signed for %d days; keys of one's own are rotated within 180", int(age.Hours()/24)))
		}
	}
	return out
}

// madeAt is when a self-managed key was made: as the configuration says, or
// else when it was written. It is zero for what is not known, or a sender's.
func (v *view) madeAt(d *dkimStated) time.Time {
	if v.senderOf(d.Key.Name) != "" {
		return time.Time{}
	}
	i := slices.IndexFunc(v.Domain.DKIM, func(k records.DKIM) bool { return k.Selector == d.selector && d.owner() == v.Domain.Name })
	if i >= 0 && !v.Domain.DKIM[i].Since.IsZero() {
		return v.Domain.DKIM[i].Since
	}
	if set, ok := v.Past.Set(d.Key); ok && d.both {
		return set.Written.At
	}
	return time.Time{}
}

func lookUndeclaredKey(v *view) []fault {
	if v.declared() || v.Domain.Removed {
		return nil
	}
	var out []fault
	declared := v.declaredView()
	list := v.dkim()
	for i := range list {
		d := &list[i]
		known := len(declared.at(records.Key{Name: d.Key.Name, Type: records.TypeTXT})) > 0 || len(declared.at(records.Key{Name: d.Key.Name, Type: records.TypeCNAME})) > 0
		revoked := d.cname == "" && d.err == nil && d.key.Revoked()
		if _, owned := v.Past.Owner(d.Key, d.Value); known || owned || revoked {
			continue
		}
		out = append(out, faultf(d.stated, "the configuration doesn't know this selector, and whoever signs with it passes as the domain"))
	}
	return out
}

func lookObsolete(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		switch {
		case s.Key.Type == records.TypeTXT && strings.HasPrefix(string(s.Key.Name), "_domainkey.") && !beginsKey(s.Value):
			out = append(out, faultf(s, "a policy of DomainKeys, which nobody reads since 2007"))
		case s.Key.Type == records.TypeTXT && strings.HasPrefix(string(s.Key.Name), "_adsp._domainkey."):
			out = append(out, faultf(s, "an ADSP policy (RFC 5617, historic): receivers read DMARC instead"))
		}
	}
	for d := range v.usable() {
		if slices.ContainsFunc(d.key.Other, func(t records.Tag) bool { return t.Name == "g" }) {
			out = append(out, faultf(d.stated, "the tag g= was dropped in 2011 (RFC 6376 C): verifiers ignore it").mend("drop g="))
		}
	}
	return out
}

func lookSoleSelector(v *view) []fault {
	if r, ok := v.today(); !v.declared() || !ok || r.Policy != records.PolicyReject {
		return nil
	}
	var out []fault
	for _, s := range v.signers() {
		if s.name != "" && len(s.keys) == 1 {
			out = append(out, faultf(s.keys[0].stated, "%s has this selector alone, and p=reject is published: while its key changes, its mail is rejected", s.name))
		}
	}
	return out
}
