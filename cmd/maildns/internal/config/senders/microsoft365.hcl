sender_type "microsoft365" {
  description = "Microsoft 365 (Exchange Online): people's mail, sent and received; all targets are copied from the admin center"
  source      = "https://learn.microsoft.com/en-us/defender-office-365/email-authentication-dkim-configure"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = domain

  # Until DKIM is enabled for the domain, mail is signed as the tenant.
  signs_as = input.tenant != null ? ["${input.tenant}.onmicrosoft.com"] : []

  # Nothing is built from the domain's name: since May 2025 the DKIM targets have
  # a character that can't be foretold, and since July 2026 the MX host is one
  # below mx.microsoft.
  input "dkim" {
    description = "the target of each selector, as the Defender portal or Get-DkimSigningConfig shows it"
    type        = "map"
    pattern     = "^[A-Za-z0-9-]+\\._domainkey\\.[A-Za-z0-9.-]+$"
    default     = {}
  }

  input "mx" {
    description = "the MX host, as the admin center shows it; without it the mx blocks of the domain hold"
    type        = "string"
    pattern     = "^[A-Za-z0-9.-]+\\.(mail\\.protection\\.outlook\\.com|mx\\.microsoft)$"
    required    = false
  }

  input "tenant" {
    description = "the tenant, as in TENANT.onmicrosoft.com, whose mail is known by it until DKIM is on"
    type        = "string"
    pattern     = "^[A-Za-z0-9]+$"
    required    = false
  }

  input "verification" {
    description = "the token that proves the domain, such as ms12345678"
    type        = "string"
    pattern     = "^ms[0-9]+$"
    required    = false
  }

  input "autodiscover" {
    description = "whether Outlook finds its settings by autodiscover.outlook.com"
    default     = false
  }

  recognise {
    spf        = ["spf.protection.outlook.com"]
    dkim_cname = ["*._domainkey.*.onmicrosoft.com", "*._domainkey.*.dkim.mail.microsoft"]
    mx         = ["*.mail.protection.outlook.com", "*.mx.microsoft"]
    cname      = ["autodiscover.outlook.com"]
  }

  spf {
    include = ["spf.protection.outlook.com"]
  }

  dkim "key" {
    for_each = input.dkim
    selector = each.key
    cname    = each.value
  }

  mx {
    for_each   = input.mx != null ? [input.mx] : []
    host       = each.value
    preference = 0
  }

  record "@" "TXT" {
    for_each = input.verification != null ? [input.verification] : []
    values   = ["MS=${each.value}"]
  }

  record "autodiscover" "CNAME" {
    for_each = input.autodiscover ? ["autodiscover.outlook.com"] : []
    values   = [each.value]
  }

  example = <<-EOT
    sender "microsoft365" {
      mx = "example-com.mail.protection.outlook.com"
      dkim = {
        selector1 = "selector1-example-com._domainkey.example.n-v1.dkim.mail.microsoft"
        selector2 = "selector2-example-com._domainkey.example.n-v1.dkim.mail.microsoft"
      }
      tenant       = "example"
      verification = "ms12345678"
      autodiscover = true
    }
  EOT
}
