package records

import (
	"strings"
	"testing"
)

func TestParseReportURI(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want ReportURI
	}{
		{"mailto:dmarc@example.com", ReportURI{Scheme: "mailto", Address: "dmarc@example.com", Host: "example.com"}},
		{"MAILTO:d@Example.COM", ReportURI{Scheme: "mailto", Address: "d@Example.COM", Host: "example.com"}},
		{"mailto:d@example.com!10m", ReportURI{Scheme: "mailto", Address: "d@example.com", Host: "example.com", Size: "10m"}},
		{"mailto:d@example.com!50", ReportURI{Scheme: "mailto", Address: "d@example.com", Host: "example.com", Size: "50"}},
		{"mailto:a%2Cb%21@example.com", ReportURI{Scheme: "mailto", Address: "a,b!@example.com", Host: "example.com"}},
		{"mailto:d+x@example.com?subject=x", ReportURI{Scheme: "mailto", Address: "d+x@example.com", Host: "example.com"}},
		{"https://Reports.example.com:8443/tls?x=1", ReportURI{Scheme: "https", Host: "reports.example.com"}},
	}
	for _, tt := range tests {
		if got, err := ParseReportURI(tt.text); err != nil || got != tt.want {
			t.Errorf("ParseReportURI(%q) = %+v, %v, want %+v", tt.text, got, err, tt.want)
		}
	}
}

func TestParseReportURIRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, why string }{
		{"", "not a URI"},
		{"dmarc@example.com", "not a URI"},
		{"mailto:", "no mailbox"},
		{"mailto:example.com", "no mailbox"},
		{"mailto:@example.com", "no mailbox"},
		{"mailto:d@", "is empty"},
		{"mailto:d@exa..mple", "empty label"},
		{"mailto:d@example.com!", "%21"},
		{"mailto:d!x@example.com", "%21"},
		{"mailto:d@example.com!m", "%21"},
		{"mailto:d@example.com!10mm", "%21"},
		{"mailto:d@example.com!10m!10m", "%21"},
		{"mailto:a,b@example.com", "percent-encode"},
		{"mailto:a b@example.com", "percent-encode"},
		{"mailto:ä@example.com", "percent-encode"},
		{"mailto:%zz@example.com", "escape"},
		{"http://example.com/r", "mailto: or https:"},
		{"https:///r", "names no host"},
		{"https:example.com", "names no host"},
	}
	for _, tt := range tests {
		got, err := ParseReportURI(tt.text)
		if err == nil {
			t.Errorf("ParseReportURI(%q) = %+v, want an error", tt.text, got)
		} else if !strings.Contains(err.Error(), tt.why) {
			t.Errorf("ParseReportURI(%q): %v; want it to mention %q", tt.text, err, tt.why)
		}
	}
}

func FuzzParseReportURI(f *testing.F) {
	for _, seed := range []string{"mailto:d@example.com", "mailto:d@example.com!10m", "https://example.com/r", "mailto:%40@x", "mailto:a@b@c", "x:y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseReportURI(text)
		if err != nil {
			return
		}
		if u.Host == "" || (u.Scheme == "mailto") != (u.Address != "") {
			t.Errorf("ParseReportURI(%q) = %+v lacks a part", text, u)
		}
		// A list of one, in a record, is the same destination.
		if r, err := ParseDMARC("v=DMARC1; p=none; rua=" + text); err != nil || len(r.RUA) != 1 || len(r.Problems) > 0 {
			t.Errorf("%q in a record: %+v, %v", text, r, err)
		}
	})
}
