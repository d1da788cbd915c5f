known_source "crm" {
  as     = "friend"
  reason = "contract ended"
  until  = "2027-05-01"
}

known_source "net" {
  domain = "mailer.example"
  ip     = "198.51.100.0/33"
  as     = "spoof"
  reason = "x"
}
