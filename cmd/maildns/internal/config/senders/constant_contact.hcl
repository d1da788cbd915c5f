sender_type "constant_contact" {
  description = "Constant Contact with self-authentication: two DKIM aliases"
  source      = "https://support.valimail.com/support/solutions/articles/48001208600-constant-contact"
  checked     = "2026-11-24"
  verified    = false

  # Bounces go to Constant Contact's own domain, so SPF never aligns.
  mail_from = "in.constantcontact.com"
  signs_as  = ["auth.ccsend.com", "constantcontact.com"]

  input "target" {
    description = "what follows ctct1._domainkey. and ctct2._domainkey. in the targets, as the account shows it"
    pattern     = "^dkim[0-9]+\\.[a-z0-9-]*send\\.com$"
  }

  recognise {
    spf        = ["spf.constantcontact.com"]
    dkim_cname = ["*._domainkey.dkim*.*send.com"]
  }

  dkim "selector" {
    for_each = ["ctct1", "ctct2"]
    selector = each.value
    cname    = "${each.value}._domainkey.${input.target}"
  }

  example = <<-EOT
    sender "constant_contact" {
      target = "dkim1.ccsend.com"
    }
  EOT
}
