sender_type "sendgrid" {
  description = "Twilio SendGrid with automated security: SendGrid keeps keys and SPF behind three aliases"
  source      = "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/how-to-set-up-domain-authentication"
  checked     = "2026-11-24"
  verified    = true

  # Bounces go to a name of its own, so SPF aligns in relaxed mode only, and an
  # include of sendgrid.net at the domain itself would authorise other customers
  # and nothing of one's own.
  mail_from = "${input.return_path}.${domain}"
  signs_as  = ["sendgrid.net"]

  input "account" {
    description = "the user and the white label in the targets that SendGrid shows, such as u1234567.wl123"
    pattern     = "^u[0-9]+\\.wl[0-9]*$"
  }

  input "return_path" {
    description = "the name of the first alias, such as em1234"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"
  }

  input "selectors" {
    description = "the two DKIM selectors"
    type        = "list"
    length      = 2
    default     = ["s1", "s2"]
  }

  recognise {
    spf        = ["sendgrid.net"]
    dkim_cname = ["*.domainkey.u*.wl*.sendgrid.net", "*.domainkey.u*.wl.sendgrid.net"]
    cname      = ["u*.wl*.sendgrid.net", "u*.wl.sendgrid.net"]
  }

  record "return-path" "CNAME" {
    name   = input.return_path
    values = ["${input.account}.sendgrid.net"]
  }

  dkim "selector" {
    for_each = input.selectors
    selector = each.value
    cname    = "${each.value}.domainkey.${input.account}.sendgrid.net"
  }

  example = <<-EOT
    sender "sendgrid" {
      account     = "u1234567.wl123"
      return_path = "em1234"
    }
  EOT
}
