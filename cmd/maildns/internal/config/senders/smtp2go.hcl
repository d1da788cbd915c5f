sender_type "smtp2go" {
  description = "SMTP2GO: aliases for DKIM, the return path and tracked links"
  source      = "https://support.smtp2go.com/hc/en-gb/articles/115004408567-Verified-Senders"
  checked     = "2026-11-24"
  verified    = false
  mail_from   = "em${input.account}.${domain}"
  signs_as    = ["smtp2go.com"]

  input "account" {
    description = "the number in the names that SMTP2GO shows, such as 123456 of s123456._domainkey"
    pattern     = "^[0-9]+$"
  }

  input "tracking" {
    description = "the name below this domain that tracked links use"
    type        = "string"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
    required    = false
  }

  recognise {
    spf        = ["spf.smtp2go.com"]
    dkim_cname = ["dkim.smtp2go.net"]
    cname      = ["return.smtp2go.net", "track.smtp2go.net"]
  }

  dkim "selector" {
    selector = "s${input.account}"
    cname    = "dkim.smtp2go.net"
  }

  record "return-path" "CNAME" {
    name   = "em${input.account}"
    values = ["return.smtp2go.net"]
  }

  record "tracking" "CNAME" {
    for_each = input.tracking != null ? [input.tracking] : []
    name     = each.value
    values   = ["track.smtp2go.net"]
  }

  example = <<-EOT
    sender "smtp2go" {
      account  = "123456"
      tracking = "link"
    }
  EOT
}
