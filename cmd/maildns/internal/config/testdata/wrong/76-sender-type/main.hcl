provider "zonefile" "local" {
  directory = "zones"
}

sender_type "sendgrid" {
}

sender_type "own" {
  checked   = "yesterday"
  mail_from = "${input.nmae}.${domian}"

  input "name" {
    pattern  = "^[a-z"
    type     = "text"
    required = true
    default  = "x"
  }

  input "from" {
  }

  input "name" {
  }

  spf {
    include = ["${input.name}.example.net"]
    all     = "fail"
  }

  mx {
    for_each = "x"
    host     = each.value
    ttl      = "auto"
  }

  record "_dmarc" "TXT" {
    values = ["v=DMARC1; p=none"]
  }

  record "@" "TXT" {
    values = ["v=spf1 -ip4:192.0.2.1 ~all"]
  }

  dmarc {
    policy = "reject"
  }
}
