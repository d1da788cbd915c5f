sender_type "ses_byodkim" {
  description = "Amazon SES with a DKIM key of one's own (BYODKIM), which oneself rotates"
  source      = "https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-bring-your-own.html"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = input.mail_from != null ? "${input.mail_from}.${domain}" : "${input.region}.amazonses.com"
  signs_as    = ["amazonses.com"]

  input "dkim_selector" {
    description = "the selector, as it was given to SES"
    type        = "string"
  }

  input "dkim_key" {
    description = "the public key: RSA of 1024 to 2048 bits"
    type        = "string"
  }

  input "region" {
    description = "the AWS region, such as eu-west-1"
    pattern     = "^[a-z]{2}(-[a-z]+)+-[0-9]$"
  }

  input "mail_from" {
    description = "the name of the custom MAIL FROM domain below this one, such as bounce"
    type        = "string"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    required    = false
  }

  recognise {
    spf = ["amazonses.com"]
    mx  = ["feedback-smtp.*.amazonses.com"]
  }

  dkim "selector" {
    selector   = input.dkim_selector
    public_key = input.dkim_key
  }

  # SES wants exactly one MX at the MAIL FROM domain.
  record "mail-from" "MX" {
    for_each = input.mail_from != null ? [input.mail_from] : []
    name     = each.value
    values   = ["10 feedback-smtp.${input.region}.amazonses.com"]
  }

  record "mail-from" "TXT" {
    for_each = input.mail_from != null ? [input.mail_from] : []
    name     = each.value
    values   = ["v=spf1 include:amazonses.com ~all"]
  }

  example = <<-EOT
    sender "ses_byodkim" {
      dkim_selector = "ses2026"
      dkim_key      = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAviZEQHb4mNQlRUoya3RDPc7Bl20197L1uSUALHNK8IEkXev+PASWkfmGl1dc/eIJDvpUEtnOMdgrMQKciYQ9dtu/X4Q7UrCBpCsc9fJtsVij/IT68NGd8pZuXRnLs7zGHRX9PMcH+gnLXIVXAQWBkWyRaQfShOkL50/xIabifn2aX24sVEE0MsXRUyCHvpSuI6O8p5h/Stw94oPqbSt+UcgKIXnRfDOpfTy27N2jp+l2TCMTVKaMiXaoDdJQ70sgnfyZbyvapqKhvw0kMHBpnq9V7t31BTH0V7Li7Y5hep29Cr6kMZWRC4a6MjpAOOglA8w56hPwi+uNyOLyHFX5oQIDAQAB"
      region        = "eu-west-1"
      mail_from     = "bounce"
    }
  EOT
}
