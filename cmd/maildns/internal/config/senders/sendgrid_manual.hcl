sender_type "sendgrid_manual" {
  description = "Twilio SendGrid without automated security: an MX and two TXT records, and no rotation of the key"
  source      = "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/how-to-set-up-domain-authentication"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = "${input.return_path}.${domain}"
  signs_as    = ["sendgrid.net"]

  input "return_path" {
    description = "the name of the MX record, such as em1234"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
  }

  input "dkim_selector" {
    description = "the label before ._domainkey"
    default     = "m1"
  }

  input "dkim_key" {
    description = "the value of the DKIM record, as SendGrid shows it"
    type        = "string"
  }

  recognise {
    spf = ["sendgrid.net"]
    mx  = ["mx.sendgrid.net"]
  }

  record "return-path" "MX" {
    name   = input.return_path
    values = ["20 mx.sendgrid.net"]
  }

  # The record of the return path, not that of the domain.
  record "return-path" "TXT" {
    name   = input.return_path
    values = ["v=spf1 include:sendgrid.net ~all"]
  }

  dkim "selector" {
    selector   = input.dkim_selector
    public_key = input.dkim_key
  }

  example = <<-EOT
    sender "sendgrid_manual" {
      return_path = "em1234"
      dkim_key    = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAviZEQHb4mNQlRUoya3RDPc7Bl20197L1uSUALHNK8IEkXev+PASWkfmGl1dc/eIJDvpUEtnOMdgrMQKciYQ9dtu/X4Q7UrCBpCsc9fJtsVij/IT68NGd8pZuXRnLs7zGHRX9PMcH+gnLXIVXAQWBkWyRaQfShOkL50/xIabifn2aX24sVEE0MsXRUyCHvpSuI6O8p5h/Stw94oPqbSt+UcgKIXnRfDOpfTy27N2jp+l2TCMTVKaMiXaoDdJQ70sgnfyZbyvapqKhvw0kMHBpnq9V7t31BTH0V7Li7Y5hep29Cr6kMZWRC4a6MjpAOOglA8w56hPwi+uNyOLyHFX5oQIDAQAB"
    }
  EOT
}
