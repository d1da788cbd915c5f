journal {
  url = "file://.maildns"
}
policy {
  soak = "12h"
}
variable "env" {
  default = "prod"
}
locals {
  rua = "mailto:dmarc@attunelogic.com"
  all = [local.rua, "mailto:x-${var.env}@${local.host}"]
  host = "example.net"
}
provider "zonefile" "local" {
  directory = "zones"
}
domain "attunelogic.com" {
  ttl = "1h"
  owner = "Platform / SRE"
  labels   = { tier = "gold" }
  review {
    last  = "2026-10-01"
    every = "90d"
  }
  mx {
    host       = "aspmx.l.google.com"
    preference = 1
  }
  spf {
    include = ["_spf.example.net"]
    ip4     = ["192.0.2.0/24"]
  }
  dkim "s2026" {
    public_key = file("keys/s2026.pub.pem")
  }
  dkim "old" {
    state = "revoked"
  }
  dmarc {
    policy = "reject"
    rua    = local.all
    ramp {
      steps = ["none", "quarantine 25", "reject"]
    }
  }
  mta_sts {
    mode = "enforce"
    host_cname = "mta-sts.pages.example.net"
  }
  tls_rpt {
    rua = ["mailto:tls@attunelogic.com"]
  }
  record "url1234" "CNAME" {
    values = ["sendgrid.net"]
  }
  exception "spf-ptr" {
    reason = "x"
    until  = "2027-01-31"
  }
  override "spf-narrow" {
    reason = "vendor left, INC-42"
    until  = "2026-12-01"
  }
}
