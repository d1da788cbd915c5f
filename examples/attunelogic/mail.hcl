locals {
  reports = "mailto:dmarc@attunelogic.com"
}

domain "attunelogic.com" {
  provider = provider.zonefile.local
  ttl      = "1h"
  owner    = "Platform / SRE"
  people   = true # people write from it, not only the product

  review {
    last  = "2026-10-01"
    every = "90d"
  }

  # Google Workspace receives the mail.
  mx {
    host       = "aspmx.l.google.com"
    preference = 1
  }

  mx {
    host       = "alt1.aspmx.l.google.com"
    preference = 5
  }

  mx {
    host       = "alt2.aspmx.l.google.com"
    preference = 5
  }

  mx {
    host       = "alt3.aspmx.l.google.com"
    preference = 10
  }

  mx {
    host       = "alt4.aspmx.l.google.com"
    preference = 10
  }

  # People write through Google Workspace, the product through SendGrid: one
  # record with both. The live zone has two records, and a sender that this
  # configuration forgot.
  spf {
    include = ["_spf.google.com", "sendgrid.net"]
    all     = "softfail" # "fail" once DMARC reports look clean
  }

  dkim "google" {
    public_key = file("keys/google.pub.pem")
  }

  # The product signs with a key of its own.
  dkim "api2026" {
    public_key = file("keys/api2026.pub.pem")
  }

  # SendGrid's domain authentication: two keys and the return path, by CNAME,
  # so that SendGrid can change its keys without us.
  dkim "s1" {
    cname = "s1.domainkey.u4823106.wl117.sendgrid.net"
  }

  dkim "s2" {
    cname = "s2.domainkey.u4823106.wl117.sendgrid.net"
  }

  record "em4823" "CNAME" {
    values = ["u4823106.wl117.sendgrid.net"]
  }

  # The target. What is published today is a step of the ramp that leads there:
  # two weeks of p=none first, then a quarter of quarantine, and so on, each
  # step only when the reports are clean.
  dmarc {
    policy = "reject"
    adkim  = "strict"
    aspf   = "strict"
    rua    = [local.reports]
    ruf    = [local.reports]
    fo     = ["1"]
  }

  # The policy file is served by a static site; its TXT record follows when the
  # file is there to be seen.
  mta_sts {
    mode       = "testing"
    max_age    = "7d"
    host_cname = "mta-sts.static-site.example"
  }

  tls_rpt {
    rua = ["mailto:tls@attunelogic.com"]
  }
}
