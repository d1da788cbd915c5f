sender_type "proton" {
  description = "Proton Mail: people's mail, sent and received"
  source      = "https://proton.me/support/custom-domain"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = domain
  signs_as    = ["protonmail.com", "proton.me"]

  input "account" {
    description = "what stands between .domainkey. and .domains.proton.ch in the DKIM targets"
    pattern     = "^d[a-z2-7]{20,63}$"
  }

  input "mx" {
    description = "whether Proton receives the domain's mail; without it the mx blocks of the domain hold"
    default     = false
  }

  input "verification" {
    description = "the token that proves the domain, without protonmail-verification= before it"
    type        = "string"
    pattern     = "^[0-9a-f]{40}$"
    required    = false
  }

  recognise {
    spf        = ["_spf.protonmail.ch"]
    dkim_cname = ["protonmail*.domainkey.*.domains.proton.ch"]
    mx         = ["mail.protonmail.ch", "mailsec.protonmail.ch"]
  }

  spf {
    include = ["_spf.protonmail.ch"]
  }

  dkim "selector" {
    for_each = ["protonmail", "protonmail2", "protonmail3"]
    selector = each.value
    cname    = "${each.value}.domainkey.${input.account}.domains.proton.ch"
  }

  mx {
    for_each = input.mx ? {
      "mail"    = 10
      "mailsec" = 20
    } : {}
    host       = "${each.key}.protonmail.ch"
    preference = each.value
  }

  record "@" "TXT" {
    for_each = input.verification != null ? [input.verification] : []
    values   = ["protonmail-verification=${each.value}"]
  }

  example = <<-EOT
    sender "proton" {
      account      = "dabcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwxyz"
      mx           = true
      verification = "0123456789abcdef0123456789abcdef01234567"
    }
  EOT
}
