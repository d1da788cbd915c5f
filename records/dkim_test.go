package records

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The keys of RFC 8463 A.2, in the forms in which people have them.
const (
	rfcRSA = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6" +
		"Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/" +
		"e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G" +
		"+2kryOTIKT+l/K4w3QIDAQAB"
	rfcRSAPKCS1 = "MIGJAoGBAOQeU5CgFPNZGIazlXo2k/eJ1jpaTTxrmqF1HrDLlt04pvaMtCJj8nXo" +
		"liLRC/H9vJjMI1vdb3XLcW60AIN/PBD8EL97/y4GwJH7LPUvGP48vqUe+owqszes" +
		"biGy1PlCO8c70/OjFnJVgvMF87YR4Lcincb7aSvI5MgpP6X8rjDdAgMBAAE="
	rfcEd25519     = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	rfcEd25519SPKI = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

	// sha256sum of the decoded rfcRSA and rfcEd25519.
	rfcRSAPrint     = "362d9a99501883f6d1ac717c53fff96582fb0a7c52464cb64b9082aa887bc7b4"
	rfcEd25519Print = "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"
)

// fakeRSA returns a key of a length that has the shape of one; parsing doesn't
// ask whether anybody could know its factors.
func fakeRSA(bits int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

func spki(t *testing.T, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func wrapPEM(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func unb64(t *testing.T, s string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestR07DKIMRecord(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		value       Value
		want        DKIMKey // without Data
		printed     Value
		bits        int
		verifies    bool
		fingerprint string
	}{
		{
			"canonical", "v=DKIM1; k=rsa; p=" + rfcRSA,
			DKIMKey{Type: KeyRSA}, "v=DKIM1; k=rsa; p=" + rfcRSA, 1024, true, rfcRSAPrint,
		},
		{
			"without v and k, as Resend writes it", "p=" + rfcRSA,
			DKIMKey{Type: KeyRSA}, "v=DKIM1; k=rsa; p=" + rfcRSA, 1024, true, rfcRSAPrint,
		},
		{
			"PKCS #1 is the same key in its own form", "v=DKIM1;k=RSA;p=" + rfcRSAPKCS1 + ";",
			DKIMKey{Type: KeyRSA}, "v=DKIM1; k=rsa; p=" + rfcRSAPKCS1, 1024, true, rfcRSAPrint,
		},
		{
			"wrapped, and without padding", Value("v=DKIM1; k=rsa; p=\r\n\t" + strings.TrimRight(rfcRSAPKCS1[:60]+" \n "+rfcRSAPKCS1[60:], "=")),
			DKIMKey{Type: KeyRSA}, "v=DKIM1; k=rsa; p=" + rfcRSAPKCS1, 1024, true, rfcRSAPrint,
		},
		{
			"Ed25519", "v=DKIM1; k=ed25519; p=" + rfcEd25519,
			DKIMKey{Type: KeyEd25519}, "v=DKIM1; k=ed25519; p=" + rfcEd25519, 256, true, rfcEd25519Print,
		},
		{
			"revoked", "v=DKIM1; p=",
			DKIMKey{Type: KeyRSA}, RevokedDKIM, 0, false, "",
		},
		{
			"revoked, with a type", "v=DKIM1; k=ed25519; p= ;",
			DKIMKey{Type: KeyEd25519}, "v=DKIM1; k=ed25519; p=", 0, false, "",
		},
		{
			"all tags in another order", "v=DKIM1; p=" + rfcRSA + "; t=y:s:x; s=email:*; n=made=20by=3B me; k=rsa; h=sha1:SHA256; g=*",
			DKIMKey{Type: KeyRSA, Hashes: []string{"sha1", "sha256"}, Services: []string{"email", "*"}, Testing: true, Strict: true, Flags: []string{"x"}, Notes: "made by; me", Other: []Tag{{"g", "*"}}},
			"v=DKIM1; k=rsa; h=sha1:sha256; s=email:*; t=y:s:x; n=made by=3B me; g=*; p=" + rfcRSA, 1024, true, rfcRSAPrint,
		},
		{
			"only SHA-1", "v=DKIM1; h=sha1; p=" + rfcRSA,
			DKIMKey{Type: KeyRSA, Hashes: []string{"sha1"}}, "v=DKIM1; k=rsa; h=sha1; p=" + rfcRSA, 1024, false, rfcRSAPrint,
		},
		{
			"for another service", "v=DKIM1; s=tlsrpt; p=" + rfcRSA,
			DKIMKey{Type: KeyRSA, Services: []string{"tlsrpt"}}, "v=DKIM1; k=rsa; s=tlsrpt; p=" + rfcRSA, 1024, false, rfcRSAPrint,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := ParseDKIM(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if k.Value() != tt.printed {
				t.Errorf("printed %s\nwant    %s", k, tt.printed)
			}
			if k.Bits() != tt.bits || k.Verifies() != tt.verifies || k.Fingerprint() != tt.fingerprint {
				t.Errorf("%d bits, verifies %v, fingerprint %s", k.Bits(), k.Verifies(), k.Fingerprint())
			}
			if want := tt.fingerprint[:min(16, len(tt.fingerprint))]; k.ShortFingerprint() != want {
				t.Errorf("short fingerprint %q, want %q", k.ShortFingerprint(), want)
			}
			k.Data = nil
			if diff := cmp.Diff(tt.want, k); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDKIMKeyLength has the limit of RFC 8301 3.2.
func TestDKIMKeyLength(t *testing.T) {
	t.Parallel()
	for bits, verifies := range map[int]bool{512: false, 768: false, 1023: false, 1024: true, 2048: true, 4096: true} {
		k, err := NewDKIMKey(fakeRSA(bits))
		if err != nil {
			t.Fatal(err)
		}
		if k.Bits() != bits || k.Verifies() != verifies {
			t.Errorf("RSA %d: %d bits, verifies %v", bits, k.Bits(), k.Verifies())
		}
	}
}

func TestParseDKIMProblems(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		value string
		want  KeyProblem
	}{
		{"empty", "", KeyMissing},
		{"not a tag list", "hello; p=" + rfcRSA, KeySyntax},
		{"smart quotes", "“v=DKIM1; p=" + rfcRSA, KeySyntax},
		{"a tag twice", "v=DKIM1; p=" + rfcRSA + "; p=" + rfcRSA, KeyDuplicate},
		{"an unknown tag twice", "v=DKIM1; x=1; x=2; p=" + rfcRSA, KeyDuplicate},
		{"another version", "v=DKIM2; p=" + rfcRSA, KeyVersion},
		{"an escaped semicolon", `v=DKIM1\; p=` + rfcRSA, KeyVersion},
		{"version last", "p=" + rfcRSA + "; v=DKIM1", KeyVersion},
		{"no key", "v=DKIM1; k=rsa", KeyMissing},
		{"P is not p", "v=DKIM1; P=" + rfcRSA, KeyMissing},
		{"an ellipsis", "v=DKIM1; p=MIGf...AQAB", KeyBase64},
		{"cut off", "v=DKIM1; p=" + rfcRSA[:100], KeyUnusable},
		{"Ed25519 key as rsa", "v=DKIM1; k=rsa; p=" + rfcEd25519, KeyUnusable},
		{"Ed25519 in SubjectPublicKeyInfo", "v=DKIM1; k=ed25519; p=" + rfcEd25519SPKI, KeyUnusable},
		{"RSA key as ed25519", "v=DKIM1; k=ed25519; p=" + rfcRSA, KeyUnusable},
		{"ECDSA", "v=DKIM1; p=" + b64(spki(t, &ec.PublicKey)), KeyUnusable},
		{"an unknown type", "v=DKIM1; k=x; p=" + rfcRSA, KeyUnusable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := ParseDKIM(Value(tt.value))
			checkKeyError(t, err, tt.want)
			if k.Verifies() && (tt.want == KeyBase64 || tt.want == KeyUnusable) {
				t.Error("it verifies all the same")
			}
		})
	}
}

// checkKeyError checks the problem, and that the message repeats nothing that
// could be a part of a key.
func checkKeyError(t *testing.T, err error, want KeyProblem) {
	t.Helper()
	var fault *KeyError
	if !errors.As(err, &fault) || fault.Problem != want {
		t.Fatalf("%v, want the problem %q", err, want)
	}
	for _, word := range strings.Fields(err.Error()) {
		if len(word) > 30 {
			t.Errorf("the message holds %q", word)
		}
	}
}

// TestR07DKIMKeyFrom has one key in every form in which people have it.
func TestR07DKIMKeyFrom(t *testing.T) {
	t.Parallel()
	const canonicalRSA, canonicalEd25519 = "v=DKIM1; k=rsa; p=" + rfcRSA, "v=DKIM1; k=ed25519; p=" + rfcEd25519
	rsaPEM := wrapPEM("PUBLIC KEY", unb64(t, rfcRSA))
	tests := []struct{ name, text, want string }{
		{"PEM", rsaPEM, canonicalRSA},
		{"PEM after its explanation", "Subject: me\n\n" + rsaPEM + "trailing", canonicalRSA},
		{"PEM with CRLF", strings.ReplaceAll(rsaPEM, "\n", "\r\n"), canonicalRSA},
		{"PEM on one line", strings.ReplaceAll(rsaPEM, "\n", " "), canonicalRSA},
		{"PEM without any line", strings.ReplaceAll(rsaPEM, "\n", ""), canonicalRSA},
		{"PEM with escaped lines", strings.ReplaceAll(rsaPEM, "\n", `\n`), canonicalRSA},
		{"PKCS #1 in PEM", wrapPEM("RSA PUBLIC KEY", unb64(t, rfcRSAPKCS1)), canonicalRSA},
		{"Ed25519 in PEM", wrapPEM("PUBLIC KEY", unb64(t, rfcEd25519SPKI)), canonicalEd25519},
		{"base64", rfcRSA, canonicalRSA},
		{"wrapped base64", "\n  " + rfcRSA[:76] + "\n  " + rfcRSA[76:] + "\n", canonicalRSA},
		{"base64 of PKCS #1", rfcRSAPKCS1, canonicalRSA},
		{"base64 in quotes", `"` + rfcRSA + `"`, canonicalRSA},
		{"base64 of Ed25519", rfcEd25519, canonicalEd25519},
		{"base64 of Ed25519 in SubjectPublicKeyInfo", rfcEd25519SPKI, canonicalEd25519},
		{"record", canonicalRSA, canonicalRSA},
		{"record without version", "k=rsa;p=" + rfcRSA, canonicalRSA},
		{"record of p alone", "p=" + rfcRSA, canonicalRSA},
		{"record with a final semicolon", canonicalRSA + ";\n", canonicalRSA},
		{"record in PKCS #1 keeps its form", "v=DKIM1; p=" + rfcRSAPKCS1, "v=DKIM1; k=rsa; p=" + rfcRSAPKCS1},
		{"record in quotes", `"` + canonicalRSA + `"`, canonicalRSA},
		{"record in chunks", `"v=DKIM1; k=rsa; " "p=` + rfcRSA[:100] + `" "` + rfcRSA[100:] + `"`, canonicalRSA},
		{"record in chunks on lines", "(\"v=DKIM1; k=rsa; \"\n\t\"p=" + rfcRSA[:100] + "\"\n\t\"" + rfcRSA[100:] + "\")", canonicalRSA},
		{"zone file, as opendkim-genkey writes it", "s1._domainkey\tIN\tTXT\t( \"v=DKIM1; k=rsa; \"\n\t  \"p=" + rfcRSA + "\" )  ; ----- DKIM key s1 for example.com", canonicalRSA},
		{"escaped semicolons", `v=DKIM1\; k=rsa\; p=` + rfcRSA, canonicalRSA},
		{"escaped semicolons in quotes", `"v=DKIM1\; k=rsa\; p=` + rfcRSA + `"`, canonicalRSA},
		{"escaped quotes", `"\"v=DKIM1; k=rsa; p=` + rfcRSA + `\""`, canonicalRSA},
		{"smart quotes", "“" + canonicalRSA + "”", canonicalRSA},
		{"wrapped record", "v=DKIM1; k=rsa;\n p=" + rfcRSA[:64] + "\n " + rfcRSA[64:], canonicalRSA},
		{"tags are kept", "v=DKIM1; h=sha256; t=s; p=" + rfcRSA, "v=DKIM1; k=rsa; h=sha256; t=s; p=" + rfcRSA},
		{"as Google shows it", "v=DKIM1; k=rsa; p=" + rfcRSA, canonicalRSA},
		{"as Postmark shows it", "k=rsa;p=" + rfcRSA, canonicalRSA},
		{"as Mailgun shows it", "k=rsa; p=" + rfcRSA, canonicalRSA},
		{"as cPanel shows it", "v=DKIM1; k=rsa; p=" + rfcRSA + ";", canonicalRSA},
		{"as Route 53 shows it", `"v=DKIM1; k=rsa; p=` + rfcRSA[:80] + `" "` + rfcRSA[80:] + `"`, canonicalRSA},
		{"chunks with nothing between them", `"v=DKIM1; k=rsa; p=` + rfcRSA[:80] + `""` + rfcRSA[80:] + `"`, canonicalRSA},
		{"chunks as a JSON list", `["v=DKIM1; k=rsa; p=` + rfcRSA[:80] + `", "` + rfcRSA[80:] + `"]`, canonicalRSA},
		{"a chunk wrapped inside its quotes", "\"v=DKIM1; k=rsa; p=" + rfcRSA[:80] + "\r\n    " + rfcRSA[80:] + "\"", canonicalRSA},
		{"lines of a terminal", "v=DKIM1; k=rsa; p=" + rfcRSA[:60] + "\n" + rfcRSA[60:120] + "\n" + rfcRSA[120:], canonicalRSA},
		{"escaped semicolons in chunks", `"v=DKIM1\; k=rsa\; p=` + rfcRSA[:80] + `" "` + rfcRSA[80:] + `"`, canonicalRSA},
		{"semicolons as numbers", `v=DKIM1\059 k=rsa\059 p=` + rfcRSA, canonicalRSA},
		{"p before k", "v=DKIM1; p=" + rfcRSA + "; k=rsa", canonicalRSA},
		{"k before v", "k=rsa; v=DKIM1; p=" + rfcRSA, canonicalRSA},
		{"v last", "p=" + rfcRSA + "; k=rsa; v=DKIM1;", canonicalRSA},
		{"spaces around everything", "  v = DKIM1 ; k = rsa ; p = " + rfcRSA + " ; ", canonicalRSA},
		{"no spaces at all", "v=DKIM1;k=rsa;p=" + rfcRSA, canonicalRSA},
		{"spaces in the key", "v=DKIM1; k=rsa; p=" + rfcRSA[:30] + " " + rfcRSA[30:70] + "\t" + rfcRSA[70:], canonicalRSA},
		{"no-break spaces of a web page", "v=DKIM1;\u00a0k=rsa;\u00a0p=" + rfcRSA + "\u200b", canonicalRSA},
		{"single quotes", "'v=DKIM1; k=rsa; p=" + rfcRSA + "'", canonicalRSA},
		{"as code in Markdown", "`v=DKIM1; k=rsa; p=" + rfcRSA + "`", canonicalRSA},
		{"with the name and type before it", "google._domainkey TXT v=DKIM1; k=rsa; p=" + rfcRSA, canonicalRSA},
		{"with a label before it", "Value: v=DKIM1; k=rsa; p=" + rfcRSA, canonicalRSA},
		{"PEM inside the record", "v=DKIM1; k=rsa; p=-----BEGIN PUBLIC KEY-----" + rfcRSA + "-----END PUBLIC KEY-----", canonicalRSA},
		{"other tags in another order", "v=DKIM1; p=" + rfcRSA + "; s=email; t=s; k=rsa; n=core", "v=DKIM1; k=rsa; s=email; t=s; n=core; p=" + rfcRSA},
		{"Ed25519 record that forgot its type", "v=DKIM1; p=" + rfcEd25519, canonicalEd25519},
		{"Ed25519 record in SubjectPublicKeyInfo", "v=DKIM1; k=ed25519; p=" + rfcEd25519SPKI, canonicalEd25519},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := DKIMKeyFrom(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if k.String() != tt.want {
				t.Errorf("printed %s\nwant    %s", k, tt.want)
			}
		})
	}
}

// secrets are private keys and certificates, made anew at each run.
type secrets struct {
	pkcs1, pkcs8, ec, ed25519, certificate, request []byte
	seed                                            ed25519.PrivateKey
}

var makeSecrets = sync.OnceValues(func() (s secrets, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		return s, err
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return s, err
	}
	public, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return s, err
	}
	s.pkcs1, s.seed = x509.MarshalPKCS1PrivateKey(key), edwards
	var errs [5]error
	s.pkcs8, errs[0] = x509.MarshalPKCS8PrivateKey(key)
	s.ec, errs[1] = x509.MarshalECPrivateKey(curve)
	s.ed25519, errs[2] = x509.MarshalPKCS8PrivateKey(edwards)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}}
	s.certificate, errs[3] = x509.CreateCertificate(rand.Reader, template, template, public, edwards)
	s.request, errs[4] = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: template.Subject}, edwards)
	return s, errors.Join(errs[:]...)
})

func TestR07DKIMKeyFromRefuses(t *testing.T) {
	t.Parallel()
	s, err := makeSecrets()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text string
		want       KeyProblem
	}{
		{"PKCS #1 in PEM", wrapPEM("RSA PRIVATE KEY", s.pkcs1), KeyPrivate},
		{"PKCS #8 in PEM", wrapPEM("PRIVATE KEY", s.pkcs8), KeyPrivate},
		{"encrypted", wrapPEM("ENCRYPTED PRIVATE KEY", s.pkcs8), KeyPrivate},
		{"OpenSSH", wrapPEM("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00x")), KeyPrivate},
		{"beside its public key", wrapPEM("PUBLIC KEY", unb64(t, rfcRSA)) + wrapPEM("EC PRIVATE KEY", s.ec), KeyPrivate},
		{"under a false label", wrapPEM("PUBLIC KEY", s.pkcs8), KeyPrivate},
		{"damaged PEM", wrapPEM("RSA PRIVATE KEY", s.pkcs1)[:300], KeyPrivate},
		{"PKCS #1 in base64", b64(s.pkcs1), KeyPrivate},
		{"PKCS #8 in base64", b64(s.pkcs8), KeyPrivate},
		{"EC in base64", b64(s.ec), KeyPrivate},
		{"Ed25519 in base64", b64(s.ed25519), KeyPrivate},
		{"64 bytes of Ed25519", b64(s.seed), KeyPrivate},
		{"OpenSSH in base64", b64([]byte("openssh-key-v1\x00x")), KeyPrivate},
		{"a damaged one in base64", b64(s.pkcs1[:200]), KeyPrivate},
		{"in a record", "v=DKIM1; k=rsa; p=" + b64(s.pkcs8), KeyPrivate},
		{"in an Ed25519 record", "v=DKIM1; k=ed25519; p=" + b64(s.seed), KeyPrivate},
		{"certificate", wrapPEM("CERTIFICATE", s.certificate), KeyCertificate},
		{"certificate in base64", b64(s.certificate), KeyCertificate},
		{"certificate in a record", "v=DKIM1; p=" + b64(s.certificate), KeyCertificate},
		{"request", wrapPEM("CERTIFICATE REQUEST", s.request), KeyCertificate},
		{"request in base64", b64(s.request), KeyCertificate},
		{"something else in PEM", wrapPEM("DH PARAMETERS", []byte("x")), KeyUnusable},
		{"PEM without end", wrapPEM("PUBLIC KEY", unb64(t, rfcRSA))[:120], KeySyntax},
		{"PEM with dots in it", "-----BEGIN PUBLIC KEY-----\nMIGf...\n-----END PUBLIC KEY-----", KeyBase64},
		{"nothing", " \n", KeyMissing},
		{"empty quotes", `""`, KeyMissing},
		{"a revoked record", "v=DKIM1; p=", KeyMissing},
		{"prose", "see the dashboard!", KeyBase64},
		{"cut off", rfcRSA[:120], KeyUnusable},
		{"another version", "v=DKIM2; k=rsa; p=" + rfcRSA, KeyVersion},
		{"shortened by the dashboard", `"v=DKIM1; k=rsa; p=` + rfcRSA[:40] + `...` + rfcRSA[200:] + `"`, KeyBase64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := DKIMKeyFrom(tt.text)
			checkKeyError(t, err, tt.want)
			if k.Verifies() {
				t.Error("the key verifies all the same")
			}
			if tt.want != KeyPrivate {
				return
			}
			if _, err := ParseDKIM(Value(tt.text)); err == nil {
				t.Error("ParseDKIM takes it")
			}
		})
	}
}

// TestDKIMKeyOfAPrivateKey has the published form of a pair be found again, as
// a signer's key is compared with its record.
func TestDKIMKeyOfAPrivateKey(t *testing.T) {
	t.Parallel()
	s, err := makeSecrets()
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.ParsePKCS1PrivateKey(s.pkcs1)
	if err != nil {
		t.Fatal(err)
	}
	for name, public := range map[string]any{"RSA": &private.PublicKey, "Ed25519": s.seed.Public()} {
		k, err := NewDKIMKey(public)
		if err != nil {
			t.Fatal(name, err)
		}
		published, err := ParseDKIM(k.Value())
		if err != nil || published.Fingerprint() != k.Fingerprint() || !published.Verifies() {
			t.Errorf("%s: published as %s: %v", name, k, err)
		}
	}
	if _, err := NewDKIMKey("no key"); err == nil {
		t.Error("a string was taken for a key")
	}
}

func TestDKIMNotesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := DKIMKey{Type: KeyRSA, Data: fakeRSAData(), Notes: string(anyValue(t))}
		read, err := ParseDKIM(k.Value())
		if err != nil || read.Notes != k.Notes {
			t.Fatalf("%q in %s reads as %q, %v", k.Notes, k, read.Notes, err)
		}
	})
}

var fakeRSAData = sync.OnceValue(func() []byte {
	der, _ := x509.MarshalPKIXPublicKey(fakeRSA(1024))
	return der
})

func TestDescribeDKIM(t *testing.T) {
	t.Parallel()
	const (
		one   = Value("v=DKIM1; k=rsa; p=" + rfcRSA)
		two   = Value("v=DKIM1; k=ed25519; p=" + rfcEd25519)
		alias = Value("s1.domainkey.u1.wl2.sendgrid.net")
		fp1   = "362d9a99501883f6"
		fp2   = "21fe31dfa154a261"
	)
	long, err := NewDKIMKey(fakeRSA(2048))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		before, after []Value
		want          []string
	}{
		{"new", nil, []Value{long.Value()}, []string{"new DKIM key, RSA 2048"}},
		{"new Ed25519", nil, []Value{two}, []string{"new DKIM key, Ed25519"}},
		{"new alias", nil, []Value{alias}, []string{"new DKIM alias to s1.domainkey.u1.wl2.sendgrid.net"}},
		{"changed in place", []Value{one}, []Value{two}, []string{"DKIM key changed IN PLACE: DKIM key, RSA 1024, " + fp1 + " → DKIM key, Ed25519, " + fp2 + ": mail signed with the old one fails"}},
		{"revoked", []Value{one}, []Value{RevokedDKIM}, []string{"DKIM key, RSA 1024, " + fp1 + " REVOKED: mail still signed with it fails"}},
		{"removed", []Value{one}, nil, []string{"DKIM key, RSA 1024, " + fp1 + " removed: mail still signed with it fails"}},
		{"restored", []Value{RevokedDKIM}, []Value{one}, []string{"revoked DKIM key → DKIM key, RSA 1024, " + fp1}},
		{"alias replaced", []Value{alias}, []Value{one}, []string{"DKIM alias to s1.domainkey.u1.wl2.sendgrid.net → DKIM key, RSA 1024, " + fp1}},
		{"mended", []Value{"v=DKIM1; p=MIGf..."}, []Value{one}, []string{"unusable DKIM record (the key is not base64; copy it again, whole and without dots or quotes) → DKIM key, RSA 1024, " + fp1}},
		{"flags", []Value{"v=DKIM1; t=y; p=" + rfcRSA}, []Value{"v=DKIM1; s=email; p=" + rfcRSA}, []string{"+ DKIM tag s=email", "− DKIM tag t=y"}},
		{"the same key in another form", []Value{"p=" + rfcRSAPKCS1}, []Value{one}, []string{"says the same, written differently"}},
		{"two become one", []Value{one, two}, []Value{two}, []string{
			"2 records → 1: DKIM key, Ed25519, " + fp2 + " and DKIM key, RSA 1024, " + fp1 + " → DKIM key, Ed25519, " + fp2 + " (verifiers may take any of several)",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Describe(KindDKIM, tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseDKIM(f *testing.F) {
	for _, seed := range []string{
		"v=DKIM1; k=rsa; p=" + rfcRSA, "p=" + rfcRSAPKCS1, "v=DKIM1; k=ed25519; p=" + rfcEd25519, "v=DKIM1; p=", "k=;p=;n= a =3b;x=y",
		"v=DKIM1; h=sha256:; s=*; t=y:s:y:x; n==3D=; p=", "v=DKIM1; p=MI\n Gf", "v=DKIM2; p=", "p=AAAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseDKIM(Value(text))
		if err != nil {
			return
		}
		again, err := ParseDKIM(k.Value())
		if diff := cmp.Diff(k, again); err != nil || diff != "" {
			t.Fatalf("%q prints as %q, which reads otherwise: %v\n%s", text, k, err, diff)
		}
		if k.Revoked() == (k.Bits() > 0) {
			t.Fatalf("%q is accepted with %d bits", text, k.Bits())
		}
	})
}

func FuzzDKIMKeyFrom(f *testing.F) {
	for _, seed := range []string{
		rfcRSA, rfcEd25519, `"v=DKIM1; k=rsa; " "p=` + rfcRSA + `"`, "-----BEGIN PUBLIC KEY-----\n" + rfcRSA + "\n-----END PUBLIC KEY-----",
		`v=DKIM1\; p=` + rfcRSAPKCS1, "k=rsa; v=DKIM1; p=" + rfcRSA, "Value: v=DKIM1\\059 p=" + rfcRSA, "-----BEGIN RSA PRIVATE KEY-----", `"\"p=`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := DKIMKeyFrom(text)
		if err != nil {
			return
		}
		again, err := DKIMKeyFrom(k.String())
		if diff := cmp.Diff(k, again); err != nil || diff != "" {
			t.Fatalf("%q prints as %q, which reads otherwise: %v\n%s", text, k, err, diff)
		}
	})
}
