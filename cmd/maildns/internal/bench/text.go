package bench

import (
	"bytes"
	"fmt"
)

const (
	reports       = "mailto:dmarc@reports.example"
	formerReports = "mailto:dmarc-reports@reports.example"
)

// head is what a configuration has besides its domains.
const head = `journal {
  url = "file://.maildns"
}

provider "zonefile" "local" {
  directory = "zones"
}

locals {
  dmarc = "` + reports + `"
  tls   = "mailto:tls@reports.example"
}
`

// key is an RSA key of 2048 bits.
const key = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuoz/Vcx/Bbsed0vpPkVpLkjhwPeau/jtjg87cT0b+LgfclpUAI6zdJ6eQr3abYiEsJQyDxnzuYGBoCtXTLXW" +
	"BxtIY9CF7q7jpwxP+mJIAK5NL1EDI9S1jVLkimxFwWGxtq59nACf087RyfHt1JM7nGsIdMsOTD4vv2GLENKqqO9T1DJz9bJ0xF+4b0fol+kOtStRmVgTBi59Fg+NVEpu" +
	"fSW/OM17a3+5HdhksY1WJ1l5iJeKfgPgTuen0/pRXbJdoa7ZdoxBWDao3xESrzMRqEwroMZd4R21jVD3qY1dEJPLS0muUc2Hrb2C6kmPzxQMDuYtPgdmIijgEGz0tsTEaQIDAQAB"

// hosts is how many records of a domain have nothing to do with mail; they are
// declared all the same.
const hosts = 8

// declaration is a domain block that declares all 20 records.
func declaration(label string, t tenant) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `
domain "%s" {
%s  ttl   = "1h"
  owner = "Platform / SRE"

  mx {
    host       = "mx1.example.net"
    preference = 10
  }

  mx {
    host       = "mx2.example.net"
    preference = 20
  }

  spf {
    include = ["_spf.google.com", "sendgrid.net"]
    ip4     = ["%s"]
    all     = "softfail"
  }

  dkim "own" {
    public_key = "%s"
  }

  dmarc {
    policy = "none"
    adkim  = "strict"
    rua    = [local.dmarc]
    ttl    = "5m"
  }

  mta_sts {
    mode       = "testing"
    id         = "20261124"
    host_cname = "mta-sts.pages.example.net"
  }

  tls_rpt {
    rua = [local.tls]
  }

  record "@" "TXT" {
    values = ["google-site-verification=%s"]
  }
`, label, t.head, t.address, key, t.slug)
	for i := range 3 {
		fmt.Fprintf(&b, "\n  dkim \"s%d\" {\n    cname = \"s%d.%s.dkim.example.net\"\n  }\n", i, i, t.slug)
	}
	for i := range hosts {
		fmt.Fprintf(&b, "\n  record \"host%d\" \"A\" {\n    values = [\"%s\"]\n    ttl    = \"1h\"\n  }\n", i, t.address)
	}
	b.WriteString("}\n")
	return b.String()
}

// zoneHead is what a zone has besides the records of its domains.
const zoneHead = `$TTL 3600
@	IN	SOA	ns1.example.net. hostmaster.example.net. (
		2026112401 ; serial
		7200       ; refresh
		3600       ; retry
		1209600    ; expire
		300 )      ; minimum
	IN	NS	ns1.example.net.
	IN	NS	ns2.example.net.
`

// records are the lines of the i-th domain in its zone file.
func (f Fixture) records(i int) []byte {
	t, rua := f.tenant(i), reports
	if f.Drift {
		rua = formerReports
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `$ORIGIN %s.
@	IN	MX	10 mx1.example.net.
	IN	MX	20 mx2.example.net.
	IN	TXT	"v=spf1 ip4:%s include:_spf.google.com include:sendgrid.net ~all"
	IN	TXT	"google-site-verification=%s"
`, t.domain, t.address, t.slug)
	fmt.Fprintf(&b, "own._domainkey\tIN\tTXT\t( \"v=DKIM1; k=rsa; p=%s\"\n\t\t\"%s\" )\n", key[:230], key[230:])
	for s := range 3 {
		fmt.Fprintf(&b, "s%d._domainkey\tIN\tCNAME\ts%d.%s.dkim.example.net.\n", s, s, t.slug)
	}
	fmt.Fprintf(&b, `_dmarc	300	IN	TXT	"v=DMARC1; p=none; rua=%s; adkim=s"
_mta-sts	IN	TXT	"v=STSv1; id=20261124"
mta-sts	IN	CNAME	mta-sts.pages.example.net.
_smtp._tls	IN	TXT	"v=TLSRPTv1; rua=mailto:tls@reports.example"
`, rua)
	for h := range hosts {
		fmt.Fprintf(&b, "host%d\tIN\tA\t%s\n", h, t.address)
	}
	return b.Bytes()
}
