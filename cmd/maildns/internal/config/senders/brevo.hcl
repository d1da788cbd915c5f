sender_type "brevo" {
  description = "Brevo (once Sendinblue) from shared addresses: two DKIM aliases and a token"
  source      = "https://help.brevo.com/hc/en-us/articles/17286219877778-FAQs-About-domain-authentication-Brevo-code-DKIM-DMARC"
  checked     = "2026-11-24"
  verified    = true

  # From shared addresses bounces go to Brevo's own domain: SPF never aligns, and
  # an include of spf.brevo.com at the domain does nothing for one's own mail.
  mail_from = "sender-sib.com"
  signs_as  = ["sender-sib.com", "brevosend.com", "sendinblue.com"]

  input "code" {
    description = "the 32 digits of brevo-code: that prove the domain"
    type        = "string"
    pattern     = "^[0-9a-f]{32}$"
    required    = false
  }

  recognise {
    spf        = ["spf.brevo.com", "spf.sendinblue.com"]
    dkim_cname = ["b*.*.dkim.brevo.com"]
  }

  dkim "brevo1" {
    cname = "b1.${replace(domain, ".", "-")}.dkim.brevo.com"
  }

  dkim "brevo2" {
    cname = "b2.${replace(domain, ".", "-")}.dkim.brevo.com"
  }

  record "@" "TXT" {
    for_each = input.code != null ? [input.code] : []
    values   = ["brevo-code:${each.value}"]
  }

  example = <<-EOT
    sender "brevo" {
      code = "0123456789abcdef0123456789abcdef"
    }
  EOT
}
