sender_type "hubspot" {
  description = "HubSpot marketing mail from shared addresses: two DKIM aliases"
  source      = "https://knowledge.hubspot.com/marketing-email/manage-email-authentication-in-hubspot"
  checked     = "2026-11-24"
  verified    = true

  # From shared addresses bounces go to HubSpot's own domain, so SPF never aligns;
  # what its wizard asks to include matters to dedicated addresses only.
  mail_from = "hubspotemail.net"
  signs_as  = ["hubspotemail.net", "hubspot.com"]

  input "portal" {
    description = "the number of the account (Hub ID)"
    pattern     = "^[0-9]+$"
  }

  input "cluster" {
    description = "what stands before a.dkim and b.dkim in the targets that HubSpot shows, such as hs01"
    pattern     = "^hs[0-9]{2}$"
  }

  recognise {
    spf        = ["*.spf*.hubspotemail.net", "_spf.hubspot.com"]
    dkim_cname = ["*.hs*.dkim.hubspotemail.net"]
  }

  dkim "first" {
    selector = "hs1-${input.portal}"
    cname    = "${replace(replace(domain, "-", "--"), ".", "-")}.${input.cluster}a.dkim.hubspotemail.net"
  }

  dkim "second" {
    selector = "hs2-${input.portal}"
    cname    = "${replace(replace(domain, "-", "--"), ".", "-")}.${input.cluster}b.dkim.hubspotemail.net"
  }

  example = <<-EOT
    sender "hubspot" {
      portal  = "1234567"
      cluster = "hs06"
    }
  EOT
}
