provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  spf {
    include = ["_spf.example.net", "spf example.net", ""]
    ip4     = ["192.0.2.300", "2001:db8::1", "192.0.2.0/40"]
    ip6     = ["192.0.2.1"]
    exists  = ["%%{x}.example.net"]
    all     = "hardfail"
    flatten = ["other.example.net"]
  }
}
