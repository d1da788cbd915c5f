sender_type "klaviyo" {
  description = "Klaviyo with a branded sending domain: a subdomain that Klaviyo's servers hold, or aliases to them"
  source      = "https://help.klaviyo.com/hc/en-us/articles/115000357752"
  checked     = "2026-11-24"
  verified    = true
  mail_from   = "${input.subdomain}.${domain}"
  signs_as    = ["klaviyomail.com"]

  input "subdomain" {
    description = "the name of the sending domain below this one, such as send"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
    default     = "send"
  }

  # Dynamic routing: Klaviyo's servers answer for the subdomain, keys and SPF
  # included.
  input "ns" {
    description = "with dynamic routing: the name servers that Klaviyo shows"
    type        = "list"
    default     = []
    pattern     = "^[a-z0-9.-]+$"
  }

  input "cname" {
    description = "with static routing: the aliases that Klaviyo shows, each by its name below this domain; required without ns"
    type        = "map"
    default     = {}
    required    = length(input.ns) == 0
  }

  input "verification" {
    description = "the value of the TXT record that proves the domain"
    type        = "string"
    required    = false
  }

  recognise {
    dkim_cname = ["*.klaviyomail.com"]
    cname      = ["*.klaviyomail.com"]
  }

  record "subdomain" "NS" {
    for_each = length(input.ns) > 0 ? [input.subdomain] : []
    name     = each.value
    values   = input.ns
  }

  record "alias" "CNAME" {
    for_each = input.cname
    name     = each.key
    values   = [each.value]
  }

  record "@" "TXT" {
    for_each = input.verification != null ? [input.verification] : []
    values   = [each.value]
  }

  example = <<-EOT
    sender "klaviyo" {
      subdomain = "send"
      cname = {
        "send"               = "em1234.klaviyomail.com"
        "kl._domainkey.send" = "dkim.klaviyomail.com"
      }
    }
  EOT
}
