provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dkim "s1" {}

  dkim "s2" {
    cname = "s2.example.net"
    state = "revoked"
  }
}
