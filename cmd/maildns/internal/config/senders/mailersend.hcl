sender_type "mailersend" {
  description = "MailerSend: a DKIM alias, the alias of the return path, and SPF if its wizard asks for it"
  source      = "https://www.mailersend.com/help/how-to-verify-and-authenticate-a-sending-domain"
  checked     = "2026-11-24"
  verified    = false
  mail_from   = "${input.return_path}.${domain}"
  signs_as    = ["mailersend.net"]

  input "selector" {
    description = "the DKIM selector, as MailerSend shows it"
    pattern     = "^mlsend[0-9]*$"
    default     = "mlsend2"
  }

  input "return_path" {
    description = "the name of the return path below this domain"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    default     = "mta"
  }

  input "spf" {
    description = "whether the domain's SPF record includes _spf.mailersend.net, which MailerSend's own check asks for"
    default     = false
  }

  recognise {
    spf        = ["_spf.mailersend.net"]
    dkim_cname = ["mlsend*._domainkey.mailersend.net"]
    mx         = ["inbound.mailersend.net"]
    cname      = ["mailersend.net"]
  }

  spf {
    include = input.spf ? ["_spf.mailersend.net"] : []
  }

  dkim "selector" {
    selector = input.selector
    cname    = "${input.selector}._domainkey.mailersend.net"
  }

  record "return-path" "CNAME" {
    name   = input.return_path
    values = ["mailersend.net"]
  }

  example = <<-EOT
    sender "mailersend" {
      return_path = "mta"
    }
  EOT
}
