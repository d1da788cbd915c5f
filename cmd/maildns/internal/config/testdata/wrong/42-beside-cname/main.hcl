provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  record "em" "CNAME" {
    values = ["u1.wl.sendgrid.net"]
  }

  record "em" "TXT" {
    values = ["one"]
  }

  mta_sts {
    mode       = "testing"
    mx         = ["mx.example.net"]
    host_cname = "pages.example.net"
    host_a     = ["192.0.2.1"]
  }
}
