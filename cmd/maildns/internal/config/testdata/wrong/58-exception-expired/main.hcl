provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  exception "spf-ptr" {
    reason = "legacy scanner"
    until  = "2026-10-31"
  }
}
