provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  mta_sts {
    mode    = "enforce"
    max_age = "2000d"
    id      = "2026-11-24"
  }
}
