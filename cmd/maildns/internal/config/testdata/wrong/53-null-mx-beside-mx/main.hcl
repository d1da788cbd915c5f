provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  null_mx = true
  mx {
    host = "mx.example.net"
  }
}
