provider "zonefile" "local" {
  directory = "zones"
}

domain "quickstart.example" {
  spf {
    include = ["_spf.google.com"]
  }

  dmarc {
    policy = "reject"
    rua    = ["mailto:dmarc@quickstart.example"]
  }
}
