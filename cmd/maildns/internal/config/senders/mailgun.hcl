sender_type "mailgun" {
  description = "Mailgun, in the domain block of the sending subdomain, such as mg.example.com"
  source      = "https://documentation.mailgun.com/docs/mailgun/user-manual/domains/domains-verify"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = domain
  signs_as    = ["mailgun.org"]

  input "region" {
    description = "us or eu"
    pattern     = "^(us|eu)$"
    default     = "us"
  }

  input "dkim_cname" {
    description = "the target of each selector, as Mailgun shows it with automatic sender security: pdk1 and pdk2"
    type        = "map"
    pattern     = "^[A-Za-z0-9]+\\._domainkey\\.[a-z0-9.-]+\\.mailgun\\.(com|org)$"
    default     = {}
  }

  input "dkim_key" {
    description = "the value of each selector's DKIM record, as Mailgun shows it without automatic sender security; required without dkim_cname"
    type        = "map"
    required    = length(input.dkim_cname) == 0
  }

  input "tracking" {
    description = "the name below this domain that tracked links use, such as email"
    type        = "string"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
    required    = false
  }

  input "mx" {
    description = "whether Mailgun receives the domain's mail, late bounces among it; never for a domain where people read mail"
    default     = false
  }

  recognise {
    spf        = ["mailgun.org"]
    dkim_cname = ["*._domainkey.*.mailgun.com"]
    mx         = ["mx*.mailgun.org"]
    cname      = ["mailgun.org", "eu.mailgun.org"]
    selector   = ["k1", "mailo", "mx", "pic", "smtp"]
  }

  spf {
    include = ["mailgun.org"]
  }

  dkim "alias" {
    for_each = input.dkim_cname
    selector = each.key
    cname    = each.value
  }

  dkim "key" {
    for_each   = input.dkim_key
    selector   = each.key
    public_key = each.value
  }

  mx {
    for_each   = input.mx ? ["mxa", "mxb"] : []
    host       = "${each.value}.${input.region == "eu" ? "eu." : ""}mailgun.org"
    preference = 10
  }

  record "tracking" "CNAME" {
    for_each = input.tracking != null ? [input.tracking] : []
    name     = each.value
    values   = [input.region == "eu" ? "eu.mailgun.org" : "mailgun.org"]
  }

  example = <<-EOT
    sender "mailgun" {
      dkim_cname = {
        pdk1 = "pdk1._domainkey.9d876.dkim1.mailgun.com"
        pdk2 = "pdk2._domainkey.9d876.dkim1.mailgun.com"
      }
      tracking = "email"
      mx       = true
    }
  EOT
}
