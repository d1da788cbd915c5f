sender_type "shopify" {
  description = "Shopify: DKIM aliases and the aliases of its mail servers, all as the shop shows them"
  source      = "https://help.shopify.com/en/manual/intro-to-shopify/initial-setup/email-rewrites"
  checked     = "2026-11-24"
  verified    = true

  # Bounces go to the first of the mail servers' aliases.
  mail_from = length(input.mailer) > 0 ? "${keys(input.mailer)[0]}.${domain}" : "shopifyemail.com"
  signs_as  = ["shopifyemail.com"]

  input "dkim" {
    description = "the target of each selector, as the shop shows it"
    type        = "map"
    pattern     = "^dkim[0-9]+\\.[0-9a-z]+\\.p[0-9]+\\.email\\.myshopify\\.com$"
  }

  input "mailer" {
    description = "the aliases of the mail servers, each by its name below this domain"
    type        = "map"
    default     = {}
    pattern     = "^[a-z0-9.-]+\\.(email\\.myshopify|shopifyemail)\\.com$"
  }

  recognise {
    spf        = ["shops.shopify.com"]
    dkim_cname = ["dkim*.*.p*.email.myshopify.com"]
    cname      = ["*.email.myshopify.com"]
  }

  dkim "selector" {
    for_each = input.dkim
    selector = each.key
    cname    = each.value
  }

  record "mailer" "CNAME" {
    for_each = input.mailer
    name     = each.key
    values   = [each.value]
  }

  example = <<-EOT
    sender "shopify" {
      dkim = {
        abc1 = "dkim1.0123456789ab.p123.email.myshopify.com"
        abc2 = "dkim2.0123456789ab.p123.email.myshopify.com"
        abc3 = "dkim3.0123456789ab.p123.email.myshopify.com"
        abc4 = "dkim4.0123456789ab.p123.email.myshopify.com"
      }
      mailer = {
        mailer1 = "mailer1.0123456789ab.p123.email.myshopify.com"
        mailer2 = "mailer2.0123456789ab.p123.email.myshopify.com"
      }
    }
  EOT
}
