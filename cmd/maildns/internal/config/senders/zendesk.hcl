sender_type "zendesk" {
  description = "Zendesk Support, sending from your own support address: DKIM aliases, return paths and SPF"
  source      = "https://support.zendesk.com/hc/en-us/articles/4408832543770"
  checked     = "2026-11-24"
  verified    = true

  # MAIL FROM is the support address.
  mail_from = domain
  signs_as  = ["zendesk.com"]

  input "verification" {
    description = "the token that proves the domain, as Zendesk shows it for zendeskverification"
    type        = "string"
    pattern     = "^[0-9a-f]+$"
    required    = false
  }

  recognise {
    spf        = ["mail.zendesk.com"]
    dkim_cname = ["zendesk*._domainkey.zendesk.com"]
    cname      = ["mail*.zendesk.com"]
  }

  spf {
    include = ["mail.zendesk.com"]
  }

  dkim "selector" {
    for_each = ["zendesk1", "zendesk2"]
    selector = each.value
    cname    = "${each.value}._domainkey.zendesk.com"
  }

  record "mail" "CNAME" {
    for_each = ["1", "2", "3", "4"]
    name     = "zendesk${each.value}"
    values   = ["mail${each.value}.zendesk.com"]
  }

  record "zendeskverification" "TXT" {
    for_each = input.verification != null ? [input.verification] : []
    values   = [each.value]
  }

  example = <<-EOT
    sender "zendesk" {
      verification = "0123456789abcdef"
    }
  EOT
}
