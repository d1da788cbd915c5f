sender_type "icloud" {
  description = "iCloud+ with a domain of one's own: people's mail, sent and received"
  source      = "https://support.apple.com/en-us/102374"
  checked     = "2026-11-24"
  verified    = false
  mail_from   = domain
  signs_as    = ["icloud.com"]

  input "mx" {
    description = "whether iCloud receives the domain's mail; without it the mx blocks of the domain hold"
    default     = true
  }

  input "verification" {
    description = "the token that proves the domain, without apple-domain= before it"
    type        = "string"
    pattern     = "^[A-Za-z0-9]+$"
    required    = false
  }

  recognise {
    spf        = ["icloud.com"]
    dkim_cname = ["sig1.dkim.*.at.icloudmailadmin.com"]
    mx         = ["mx0*.mail.icloud.com"]
  }

  spf {
    include = ["icloud.com"]
  }

  dkim "sig1" {
    cname = "sig1.dkim.${domain}.at.icloudmailadmin.com"
  }

  mx {
    for_each   = input.mx ? ["mx01", "mx02"] : []
    host       = "${each.value}.mail.icloud.com"
    preference = 10
  }

  record "@" "TXT" {
    for_each = input.verification != null ? [input.verification] : []
    values   = ["apple-domain=${each.value}"]
  }

  example = <<-EOT
    sender "icloud" {
      verification = "0abcDEF123456789"
    }
  EOT
}
