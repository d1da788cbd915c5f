provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  ttl     = true
  owner   = 5
  people  = "maybe"
  labels  = ["gold"]
  protect = "google-site-verification="
  state   = "gone"
  review {
    last  = "yesterday"
    every = -5
  }
}
