provider "zonefile" "local" {
  directory = "zones"
}

policy {
  soak = "1d"
}

policy {
  soak = "2d"
}
