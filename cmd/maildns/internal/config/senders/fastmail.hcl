sender_type "fastmail" {
  description = "Fastmail: people's mail, sent and received"
  source      = "https://www.fastmail.help/hc/en-us/articles/360060591153"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = domain
  signs_as    = ["messagingengine.com"]

  input "selectors" {
    description = "the DKIM selectors; newer accounts have fm4 as well"
    type        = "list"
    default     = ["fm1", "fm2", "fm3"]
    pattern     = "^(fm[0-9]|mesmtp)$"
  }

  input "mx" {
    description = "whether Fastmail receives the domain's mail; without it the mx blocks of the domain hold"
    default     = false
  }

  recognise {
    spf        = ["spf.messagingengine.com"]
    dkim_cname = ["fm*.*.dkim.fmhosted.com"]
    mx         = ["in*-smtp.messagingengine.com"]
  }

  spf {
    include = ["spf.messagingengine.com"]
  }

  dkim "selector" {
    for_each = input.selectors
    selector = each.value
    cname    = "${each.value}.${domain}.dkim.fmhosted.com"
  }

  mx {
    for_each = input.mx ? {
      "in1-smtp" = 10
      "in2-smtp" = 20
    } : {}
    host       = "${each.key}.messagingengine.com"
    preference = each.value
  }

  example = <<-EOT
    sender "fastmail" {
      mx = true
    }
  EOT
}
