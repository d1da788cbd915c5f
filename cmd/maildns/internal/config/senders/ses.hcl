sender_type "ses" {
  description = "Amazon SES with Easy DKIM: three aliases, and a MAIL FROM domain if it is set up"
  source      = "https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-easy.html"
  checked     = "2026-11-24"
  verified    = true

  # Without a MAIL FROM domain of one's own bounces go to SES itself: SPF then
  # never aligns.
  mail_from = input.mail_from != null ? "${input.mail_from}.${domain}" : "${input.region}.amazonses.com"
  signs_as  = ["amazonses.com"]

  input "tokens" {
    description = "the three tokens of Easy DKIM, as the console shows them before ._domainkey"
    type        = "list"
    length      = 3
    pattern     = "^[a-z0-9]+$"
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

  # https://docs.aws.amazon.com/general/latest/gr/ses.html lists the regions with
  # a domain of their own.
  input "dkim_domain" {
    description = "what follows the token in the targets that the console shows, where that isn't what the region says"
    type        = "string"
    pattern     = "^dkim\\.[a-z0-9.-]+$"
    required    = false
  }

  recognise {
    spf        = ["amazonses.com"]
    dkim_cname = ["*.dkim.amazonses.com", "*.dkim.*.amazonses.com"]
    mx         = ["feedback-smtp.*.amazonses.com"]
  }

  dkim "token" {
    for_each = input.tokens
    selector = each.value
    cname = format("%s.%s", each.value, coalesce(input.dkim_domain, contains([
      "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "ca-west-1",
      "eu-central-2", "eu-south-1", "il-central-1", "me-central-1", "us-gov-east-1",
    ], input.region) ? "dkim.${input.region}.amazonses.com" : "dkim.amazonses.com"))
  }

  # SES wants exactly one MX at the MAIL FROM domain.
  record "mail-from" "MX" {
    for_each = input.mail_from != null ? [input.mail_from] : []
    name     = each.value
    values   = ["10 feedback-smtp.${input.region}.amazonses.com"]
  }

  # The record of the MAIL FROM domain, not that of this one.
  record "mail-from" "TXT" {
    for_each = input.mail_from != null ? [input.mail_from] : []
    name     = each.value
    values   = ["v=spf1 include:amazonses.com ~all"]
  }

  example = <<-EOT
    sender "ses" {
      tokens    = ["hirjd4exampled5477y22yd23ettobi", "v3rnz522czcl46quexamplek3efo5o6x", "y4examplexbhyhnsjcmtvzotfvqjmdqoj"]
      region    = "eu-west-1"
      mail_from = "bounce"
    }
  EOT
}
