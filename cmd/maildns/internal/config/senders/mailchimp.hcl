sender_type "mailchimp" {
  description = "Mailchimp marketing mail: two DKIM aliases, and nothing else"
  source      = "https://mailchimp.com/help/set-up-email-domain-authentication/"
  checked     = "2026-11-24"
  verified    = true

  # Bounces go to names below mcsv.net, so SPF never aligns, and an include at the
  # domain would authorise other customers and nothing of one's own.
  mail_from = "mcsv.net"
  signs_as  = ["mcsv.net", "mailchimpapp.net"]

  input "selectors" {
    description = "the DKIM selectors, as Mailchimp shows them"
    type        = "list"
    default     = ["k2", "k3"]
    pattern     = "^k[0-9]+$"
  }

  recognise {
    spf        = ["servers.mcsv.net"]
    dkim_cname = ["dkim*.mcsv.net", "dkim.mcsv.net"]
  }

  dkim "selector" {
    for_each = input.selectors
    selector = each.value
    cname    = "dkim${trimprefix(each.value, "k")}.mcsv.net"
  }

  example = <<-EOT
    sender "mailchimp" {
    }
  EOT
}
