sender_type "mandrill" {
  description = "Mandrill, Mailchimp's transactional mail: two DKIM aliases, and a return path if it is set up"
  source      = "https://mailchimp.com/developer/transactional/docs/authentication-delivery/"
  checked     = "2026-11-24"
  verified    = true

  # Without a return path of one's own bounces go to mandrillapp.com, and SPF never
  # aligns.
  mail_from = input.return_path != null ? "${input.return_path}.${domain}" : "mandrillapp.com"
  signs_as  = ["mandrillapp.com"]

  input "return_path" {
    description = "the name of the custom return path below this domain"
    type        = "string"
    pattern     = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
    required    = false
  }

  input "verification" {
    description = "the token that proves the domain, without mandrill_verify. before it"
    type        = "string"
    pattern     = "^[A-Za-z0-9_-]+$"
    required    = false
  }

  recognise {
    spf        = ["spf.mandrillapp.com"]
    dkim_cname = ["dkim*.mandrillapp.com"]
    cname      = ["mandrillapp.com"]
  }

  dkim "mte1" {
    cname = "dkim1.mandrillapp.com"
  }

  dkim "mte2" {
    cname = "dkim2.mandrillapp.com"
  }

  record "return-path" "CNAME" {
    for_each = input.return_path != null ? [input.return_path] : []
    name     = each.value
    values   = ["mandrillapp.com"]
  }

  record "@" "TXT" {
    for_each = input.verification != null ? [input.verification] : []
    values   = ["mandrill_verify.${each.value}"]
  }

  example = <<-EOT
    sender "mandrill" {
      verification = "vtuZbM2hQyCm4Yf6mYpWNg"
    }
  EOT
}
