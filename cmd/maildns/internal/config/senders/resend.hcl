sender_type "resend" {
  description = "Resend, over Amazon SES: one DKIM key, and MX and SPF of the return path"
  source      = "https://resend.com/docs/dashboard/domains/introduction"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = "${input.return_path}.${domain}"
  signs_as    = ["amazonses.com", "resend.dev"]

  input "dkim_key" {
    description = "the value of the DKIM record, as Resend shows it"
    type        = "string"
  }

  input "region" {
    description = "the region of the domain, such as eu-west-1"
    pattern     = "^[a-z]{2}(-[a-z]+)+-[0-9]$"
  }

  input "return_path" {
    description = "the name that bounces go to"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    default     = "send"
  }

  recognise {
    mx       = ["feedback-smtp.*.amazonses.com"]
    selector = ["resend"]
  }

  dkim "resend" {
    public_key = input.dkim_key
  }

  record "return-path" "MX" {
    name   = input.return_path
    values = ["10 feedback-smtp.${input.region}.amazonses.com"]
  }

  # The record of the return path, not that of this domain.
  record "return-path" "TXT" {
    name   = input.return_path
    values = ["v=spf1 include:amazonses.com ~all"]
  }

  example = <<-EOT
    sender "resend" {
      dkim_key = "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYQ2XTdMNu5POJxq4G5mY+xDAfYaBVJt8C3QOSLth3LOJVhGjpKWhZGe4q6XDY5mG2jAmkQCga1Z0lH+tjNtmqYRx9sR04QlSVVdU1cQYxQTSa/0C1e0AHqwsRbCEqnJeD756l0vj3Ga26fGT9PX7Lv7LhyTgKhNaxZ55MuDN15QIDAQAB"
      region   = "eu-west-1"
    }
  EOT
}
