sender_type "zeptomail" {
  description = "Zoho ZeptoMail, transactional mail: one DKIM key and the alias of the bounce address"
  source      = "https://www.zoho.com/zeptomail/help/domains.html"
  checked     = "2026-11-24"
  verified    = false
  mail_from   = "${input.bounce}.${domain}"
  signs_as    = ["zeptomail.com", "zeptomail.eu", "zeptomail.in"]

  input "dkim_selector" {
    description = "the label before ._domainkey, as ZeptoMail shows it"
    pattern     = "^[A-Za-z0-9][A-Za-z0-9-]*$"
  }

  input "dkim_key" {
    description = "the value of the DKIM record, as ZeptoMail shows it"
    type        = "string"
  }

  input "bounce" {
    description = "the name of the bounce address below this domain"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    default     = "bounce-zem"
  }

  input "bounce_target" {
    description = "where the bounce address points, as ZeptoMail shows it for the account's data centre"
    pattern     = "^[a-z0-9.-]+\\.zeptomail\\.[a-z.]+$"
  }

  recognise {
    cname = ["*.zeptomail.*"]
  }

  dkim "selector" {
    selector   = input.dkim_selector
    public_key = input.dkim_key
  }

  record "bounce" "CNAME" {
    name   = input.bounce
    values = [input.bounce_target]
  }

  example = <<-EOT
    sender "zeptomail" {
      dkim_selector = "123456"
      dkim_key      = "k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYQ2XTdMNu5POJxq4G5mY+xDAfYaBVJt8C3QOSLth3LOJVhGjpKWhZGe4q6XDY5mG2jAmkQCga1Z0lH+tjNtmqYRx9sR04QlSVVdU1cQYxQTSa/0C1e0AHqwsRbCEqnJeD756l0vj3Ga26fGT9PX7Lv7LhyTgKhNaxZ55MuDN15QIDAQAB"
      bounce        = "bounce-zem"
      bounce_target = "cluster89.zeptomail.eu"
    }
  EOT
}
