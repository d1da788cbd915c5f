provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  ttl = "2h"
  mx {
    host = "mx.example.net"
    ttl  = 86400
  }
}
