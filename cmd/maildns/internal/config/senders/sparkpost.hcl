sender_type "sparkpost" {
  description = "SparkPost (Bird): one DKIM key, and the alias of a bounce domain if it is set up"
  source      = "https://support.sparkpost.com/docs/getting-started/setting-up-domains"
  checked     = "2026-11-24"
  verified    = true

  # Without a bounce domain of one's own bounces go to SparkPost's, and SPF never
  # aligns.
  mail_from = input.bounce != null ? "${input.bounce}.${domain}" : input.target
  signs_as  = ["sparkpostmail.com", "sparkpostmail1.com"]

  input "dkim_selector" {
    description = "the label before ._domainkey, such as scph0926"
    pattern     = "^scph[0-9]{4}$"
  }

  input "dkim_key" {
    description = "the value of the DKIM record, as SparkPost shows it"
    type        = "string"
  }

  input "bounce" {
    description = "the name of the bounce domain below this one, such as bounces"
    type        = "string"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    required    = false
  }

  input "target" {
    description = "where the bounce domain points: eu.sparkpostmail.com for accounts in the EU, TENANT.mail.e.sparkpost.com for enterprises"
    pattern     = "^((eu\\.)?sparkpostmail\\.com|[a-z0-9-]+\\.mail\\.e\\.sparkpost\\.com)$"
    default     = "sparkpostmail.com"
  }

  recognise {
    spf   = ["_spf.sparkpostmail.com", "sparkpostmail.com"]
    cname = ["sparkpostmail.com", "eu.sparkpostmail.com", "*.mail.e.sparkpost.com"]
  }

  dkim "selector" {
    selector   = input.dkim_selector
    public_key = input.dkim_key
  }

  record "bounce" "CNAME" {
    for_each = input.bounce != null ? [input.bounce] : []
    name     = each.value
    values   = [input.target]
  }

  example = <<-EOT
    sender "sparkpost" {
      dkim_selector = "scph0926"
      dkim_key      = "v=DKIM1; k=rsa; h=sha256; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYQ2XTdMNu5POJxq4G5mY+xDAfYaBVJt8C3QOSLth3LOJVhGjpKWhZGe4q6XDY5mG2jAmkQCga1Z0lH+tjNtmqYRx9sR04QlSVVdU1cQYxQTSa/0C1e0AHqwsRbCEqnJeD756l0vj3Ga26fGT9PX7Lv7LhyTgKhNaxZ55MuDN15QIDAQAB"
      bounce        = "bounces"
    }
  EOT
}
