sender_type "postmark" {
  description = "Postmark: one DKIM key and an alias for bounces"
  source      = "https://postmarkapp.com/support/article/1002-getting-started-with-postmark"
  checked     = "2026-11-24"
  verified    = true

  # Postmark asks not to include spf.mtasv.net at the domain: bounces go to the
  # return path.
  mail_from = "${input.return_path}.${domain}"
  signs_as  = ["mtasv.net"]

  input "dkim_selector" {
    description = "the whole label before ._domainkey, such as 20260101000000pm"
    pattern     = "^([0-9]{14}\\.?)?pm$"
  }

  input "dkim_key" {
    description = "the value of the DKIM record, as Postmark shows it"
    type        = "string"
  }

  input "return_path" {
    description = "the name that bounces go to"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    default     = "pm-bounces"
  }

  recognise {
    spf   = ["spf.mtasv.net"]
    cname = ["pm.mtasv.net"]
  }

  dkim "selector" {
    selector   = input.dkim_selector
    public_key = input.dkim_key
  }

  record "return-path" "CNAME" {
    name   = input.return_path
    values = ["pm.mtasv.net"]
  }

  example = <<-EOT
    sender "postmark" {
      dkim_selector = "20260101000000pm"
      dkim_key      = "k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYQ2XTdMNu5POJxq4G5mY+xDAfYaBVJt8C3QOSLth3LOJVhGjpKWhZGe4q6XDY5mG2jAmkQCga1Z0lH+tjNtmqYRx9sR04QlSVVdU1cQYxQTSa/0C1e0AHqwsRbCEqnJeD756l0vj3Ga26fGT9PX7Lv7LhyTgKhNaxZ55MuDN15QIDAQAB"
      return_path   = "pm-bounces"
    }
  EOT
}
