provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  parked = true
  people = true
  spf {
    include = ["a.example.net"]
  }

  dmarc {
    policy = "none"
    rua    = ["mailto:d@a.example"]
  }
}
