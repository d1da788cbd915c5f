provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dmarc {
    policy           = "rejct"
    subdomain_policy = "block"
    adkim            = "s"
    rua              = ["dmarc@a.example", "http://reports.example.net", "mailto:nobody"]
    fo               = ["2"]
    cadence          = "hourly"
  }
}
