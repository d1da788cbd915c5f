provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dkim "s1" {
    cname = "s1.example.net"
  }

  dkim "other" {
    selector = "S1"
    state    = "revoked"
  }
}
