sender_type "salesforce" {
  description = "Salesforce (not Marketing Cloud): two DKIM aliases"
  source      = "https://help.salesforce.com/s/articleView?id=000381292&type=1"
  checked     = "2026-11-24"
  verified    = false

  # With bounce management, as it is at first, bounces go to names below
  # bnc.salesforce.com and SPF never aligns; without it MAIL FROM is the user's
  # address, and the domain's SPF record needs Salesforce.
  mail_from = input.bounce_management ? "bnc.salesforce.com" : domain
  signs_as  = ["salesforce.com"]

  input "dkim" {
    description = "the target of each selector, as Setup shows it under DKIM Keys"
    type        = "map"
    pattern     = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9]+\\.custdkim\\.salesforce\\.com$"
  }

  input "bounce_management" {
    description = "whether bounce management is on (Setup, Deliverability)"
    default     = true
  }

  recognise {
    spf        = ["_spf.salesforce.com"]
    dkim_cname = ["*.custdkim.salesforce.com"]
  }

  spf {
    include = input.bounce_management ? [] : ["_spf.salesforce.com"]
  }

  dkim "key" {
    for_each = input.dkim
    selector = each.key
    cname    = each.value
  }

  example = <<-EOT
    sender "salesforce" {
      dkim = {
        sf1 = "sf1.abc123.custdkim.salesforce.com"
        sf2 = "sf2.def456.custdkim.salesforce.com"
      }
    }
  EOT
}
