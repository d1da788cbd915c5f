provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dmarc {
    policy = "reject"
    ramp {
      steps = ["none", "quarantine 50", "quarantine 25", "quarantine 100"]
    }
  }
}

domain "b.example" {
  dmarc {
    policy = "reject"
    ramp {
      steps  = ["none", "quarantine a lot"]
      compat = "all"
    }
  }
}
