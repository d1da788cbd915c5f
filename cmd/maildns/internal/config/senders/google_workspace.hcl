sender_type "google_workspace" {
  description = "Google Workspace: people's mail, sent and received"
  source      = "https://support.google.com/a/answer/33786"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = domain

  # Until Start authentication was pressed in the admin console, mail is signed
  # as a name below gappssmtp.com.
  signs_as = ["gappssmtp.com"]

  input "dkim" {
    description = "the public key of each selector, such as { google = file(\"keys/google.pub.pem\") }"
    type        = "map"
    default     = {}
  }

  input "mx" {
    description = "smtp.google.com for the one host of today, aspmx.l.google.com for the five of before 2023; without it the mx blocks of the domain hold"
    type        = "string"
    pattern     = "^(smtp|aspmx\\.l)\\.google\\.com$"
    required    = false
  }

  recognise {
    spf      = ["_spf.google.com"]
    mx       = ["smtp.google.com", "aspmx.l.google.com", "alt*.aspmx.l.google.com", "aspmx*.googlemail.com"]
    selector = ["google"]
  }

  spf {
    include = ["_spf.google.com"]
  }

  dkim "key" {
    for_each   = input.dkim
    selector   = each.key
    public_key = each.value
  }

  mx {
    for_each   = input.mx == "smtp.google.com" ? [input.mx] : []
    host       = each.value
    preference = 1
  }

  mx {
    for_each = input.mx == "aspmx.l.google.com" ? {
      "aspmx.l.google.com"      = 1
      "alt1.aspmx.l.google.com" = 5
      "alt2.aspmx.l.google.com" = 5
      "alt3.aspmx.l.google.com" = 10
      "alt4.aspmx.l.google.com" = 10
    } : {}
    host       = each.key
    preference = each.value
  }

  example = <<-EOT
    sender "google_workspace" {
      dkim = { google = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAviZEQHb4mNQlRUoya3RDPc7Bl20197L1uSUALHNK8IEkXev+PASWkfmGl1dc/eIJDvpUEtnOMdgrMQKciYQ9dtu/X4Q7UrCBpCsc9fJtsVij/IT68NGd8pZuXRnLs7zGHRX9PMcH+gnLXIVXAQWBkWyRaQfShOkL50/xIabifn2aX24sVEE0MsXRUyCHvpSuI6O8p5h/Stw94oPqbSt+UcgKIXnRfDOpfTy27N2jp+l2TCMTVKaMiXaoDdJQ70sgnfyZbyvapqKhvw0kMHBpnq9V7t31BTH0V7Li7Y5hep29Cr6kMZWRC4a6MjpAOOglA8w56hPwi+uNyOLyHFX5oQIDAQAB" }
      mx   = "smtp.google.com"
    }
  EOT
}
