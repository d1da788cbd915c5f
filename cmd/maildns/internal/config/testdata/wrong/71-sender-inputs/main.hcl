provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  sender "sendgrid" {
    acount    = "u1234567.wl123"
    selectors = ["s1"]
  }

  sender "ses" {
    tokens    = ["abc", "DEF", "ghi"]
    region    = "Ireland"
    mail_from = 7
    from      = "a.example"
  }

  sender "mailgun" {
    region = "eu"
  }
}
