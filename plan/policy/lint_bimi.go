package policy

import (
	"strings"

	"github.com/attunelogic/maildns/plan"
)

const bimiDraft = "draft-brand-indicators-for-message-identification"

// bimiRules are about BIMI (draft-brand-indicators-for-message-identification).
var bimiRules = []Rule{
	{
		ID: "bimi-syntax", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: bimiDraft + " 4.2",
		Finds: "a BIMI record that receivers ignore",
		Why:   "No logo is shown.",
		Fix:   "write v=BIMI1 first, l= with the https URL of an .svg file, and a= with that of a .pem file",
		look:  bimiSyntax, reads: true,
	},
	{
		ID: "bimi-no-cert", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: bimiDraft + " 4.2",
		Finds: "a BIMI record without an evidence document",
		Why:   "Gmail and Apple Mail show a logo only with a mark certificate (VMC or CMC).",
		Fix:   "set evidence to the https URL of the certificate",
		look:  bimiNoCert,
	},
	{
		ID: "bimi-svg", Severity: plan.SeverityWarning, Needs: NeedsHTTPS, RFC: bimiDraft + " 4.2",
		Finds: "a logo that is not SVG Tiny PS, has no title, or is larger than 32 KB",
		Why:   "Receivers refuse such a file and show no logo.",
		Fix:   "convert the logo to SVG Tiny PS 1.2 and give it a title",
	},
}

func bimiSyntax(v *view) []fault {
	var out []fault
	for _, r := range v.bimi() {
		switch logo, evidence := r.record.Logo, r.record.Evidence; {
		case r.err != nil:
			out = append(out, faultf(r.stated, "receivers ignore the BIMI record: %v", r.err))
		case logo != "" && !hasEnding(logo, ".svg", ".svgz"):
			out = append(out, faultf(r.stated, "l=%s does not end in .svg, so that receivers take it for no logo", logo))
		case evidence != "" && !hasEnding(evidence, ".pem"):
			out = append(out, faultf(r.stated, "a=%s does not end in .pem, so that receivers take it for no certificate", evidence))
		}
	}
	return out
}

// hasEnding reports whether the path of a URL ends in one of the endings.
func hasEnding(url string, endings ...string) bool {
	path, _, _ := strings.Cut(url, "?")
	for _, e := range endings {
		if len(path) > len(e) && strings.EqualFold(path[len(path)-len(e):], e) {
			return true
		}
	}
	return false
}

func bimiNoCert(v *view) []fault {
	var out []fault
	for _, r := range v.bimi() {
		if r.err == nil && r.record.Logo != "" && r.record.Evidence == "" {
			out = append(out, faultf(r.stated, "the logo has no mark certificate, so Gmail and Apple Mail don't show it"))
		}
	}
	return out
}
