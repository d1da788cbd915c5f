provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dkim "s2" {
    cname = "s2.example.net"
  }

  sender "sendgrid" {
    account     = "u1.wl1"
    return_path = "em1"
  }

  sender "sendgrid" {
    account     = "u2.wl2"
    return_path = "em2"
  }
}
