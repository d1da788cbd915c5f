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

  # People write through Google Workspace, which receives the mail as well. It
  # brings its SPF term, its MX hosts and the DKIM selector.
  sender "google_workspace" {
    dkim = { google = file("keys/google.pub.pem") }
    mx   = "aspmx.l.google.com"
  }

  # The product sends through SendGrid: two keys and the return path, by alias,
  # so that SendGrid can change its keys without us.
  sender "sendgrid" {
    account     = "u4823106.wl117"
    return_path = "em4823"
  }

  # The runbook lists SendGrid here too. Its bounces go to em4823, so nothing
  # needs this any more; but it is live, and letting it go waits for evidence.
  # The live zone has two records, and a sender that this configuration forgot.
  spf {
    include = ["sendgrid.net"]
    all     = "softfail" # "fail" once DMARC reports look clean
  }

  # The product signs with a key of its own.
  dkim "api2026" {
    public_key = file("keys/api2026.pub.pem")
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
