provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  record "em1" "TXT" {
    values = ["a site is here"]
  }

  sender "sendgrid" {
    account     = "u1.wl1"
    return_path = "em1"
  }

  sender "ses" {
    tokens    = ["a", "b", "c"]
    region    = "eu-west-1"
    mail_from = "bounce.a.example"
  }
}
