sender_type "mailjet" {
  description = "Mailjet: one DKIM key, and the alias of a return path if it is set up"
  source      = "https://documentation.mailjet.com/hc/en-us/articles/360049641733-Authenticating-Domains-with-SPF-and-DKIM-A-Complete-Guide"
  checked     = "2026-11-24"
  verified    = true

  # Without a return path of one's own bounces go to bnc3.mailjet.com: SPF never
  # aligns then, and what Mailjet asks to include at the domain is for its own
  # check.
  mail_from = input.return_path != null ? "${input.return_path}.${domain}" : "bnc3.mailjet.com"
  signs_as  = ["mailjet.com"]

  input "dkim_key" {
    description = "the value of the DKIM record, as Mailjet shows it"
    type        = "string"
  }

  input "spf" {
    description = "whether the domain's SPF record includes spf.mailjet.com, which Mailjet's own check asks for"
    default     = false
  }

  # Not verified: that the target is the same for every account.
  input "return_path" {
    description = "the name of the custom return path below this domain, such as bnc3"
    type        = "string"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    required    = false
  }

  input "verification" {
    description = "the eight digits of the name mailjet._… that proves the domain, and its token, such as { \"1a2b3c4d\" = \"…\" }"
    type        = "map"
    default     = {}
  }

  recognise {
    spf      = ["spf.mailjet.com"]
    cname    = ["bnc*.mailjet.com"]
    selector = ["mailjet"]
  }

  spf {
    include = input.spf ? ["spf.mailjet.com"] : []
  }

  dkim "mailjet" {
    public_key = input.dkim_key
  }

  record "return-path" "CNAME" {
    for_each = input.return_path != null ? [input.return_path] : []
    name     = each.value
    values   = ["bnc3.mailjet.com"]
  }

  record "verification" "TXT" {
    for_each = input.verification
    name     = "mailjet._${each.key}"
    values   = [each.value]
  }

  example = <<-EOT
    sender "mailjet" {
      dkim_key     = "k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYQ2XTdMNu5POJxq4G5mY+xDAfYaBVJt8C3QOSLth3LOJVhGjpKWhZGe4q6XDY5mG2jAmkQCga1Z0lH+tjNtmqYRx9sR04QlSVVdU1cQYxQTSa/0C1e0AHqwsRbCEqnJeD756l0vj3Ga26fGT9PX7Lv7LhyTgKhNaxZ55MuDN15QIDAQAB"
      return_path  = "bnc3"
      verification = { "1a2b3c4d" = "0123456789abcdef0123456789abcdef" }
    }
  EOT
}
