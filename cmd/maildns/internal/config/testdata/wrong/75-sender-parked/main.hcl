provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  parked = true

  sender "google_workspace" {}
}
