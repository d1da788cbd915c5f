sender_type "zoho" {
  description = "Zoho Mail: people's mail, sent and received, from one of its data centres"
  source      = "https://www.zoho.com/mail/help/adminconsole/configure-email-delivery.html"
  checked     = "2026-11-24"
  verified    = false
  mail_from   = domain

  input "dc" {
    description = "the ending of the data centre's domain: com, eu, in, com.au, jp, ca, com.cn or sa"
    pattern     = "^(com|eu|in|com\\.au|jp|ca|com\\.cn|sa)$"
    default     = "com"
  }

  input "dkim" {
    description = "the public key of each selector, as the admin console shows it, such as { zmail = \"v=DKIM1; k=rsa; p=…\" }"
    type        = "map"
    default     = {}
  }

  input "mx" {
    description = "whether Zoho receives the domain's mail; without it the mx blocks of the domain hold"
    default     = false
  }

  input "verification" {
    description = "the token that proves the domain, such as zb12345678"
    type        = "string"
    pattern     = "^zb[0-9]+$"
    required    = false
  }

  recognise {
    spf      = ["zohomail.*", "zoho.*", "one.zoho.*"]
    mx       = ["mx*.zoho.*", "mx.zoho.*"]
    selector = ["zmail", "zoho"]
  }

  spf {
    include = ["zohomail.${input.dc}"]
  }

  dkim "key" {
    for_each   = input.dkim
    selector   = each.key
    public_key = each.value
  }

  mx {
    for_each = input.mx ? {
      "mx"  = 10
      "mx2" = 20
      "mx3" = 50
    } : {}
    host       = "${each.key}.zoho.${input.dc}"
    preference = each.value
  }

  record "@" "TXT" {
    for_each = input.verification != null ? [input.verification] : []
    values   = ["zoho-verification=${each.value}.zmverify.zoho.${input.dc}"]
  }

  example = <<-EOT
    sender "zoho" {
      dc           = "eu"
      dkim         = { zmail = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAviZEQHb4mNQlRUoya3RDPc7Bl20197L1uSUALHNK8IEkXev+PASWkfmGl1dc/eIJDvpUEtnOMdgrMQKciYQ9dtu/X4Q7UrCBpCsc9fJtsVij/IT68NGd8pZuXRnLs7zGHRX9PMcH+gnLXIVXAQWBkWyRaQfShOkL50/xIabifn2aX24sVEE0MsXRUyCHvpSuI6O8p5h/Stw94oPqbSt+UcgKIXnRfDOpfTy27N2jp+l2TCMTVKaMiXaoDdJQ70sgnfyZbyvapqKhvw0kMHBpnq9V7t31BTH0V7Li7Y5hep29Cr6kMZWRC4a6MjpAOOglA8w56hPwi+uNyOLyHFX5oQIDAQAB" }
      mx           = true
      verification = "zb12345678"
    }
  EOT
}
