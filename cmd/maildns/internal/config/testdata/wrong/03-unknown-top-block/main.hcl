provider "zonefile" "local" {
  directory = "zones"
}

provder "zonefile" "b" {
  directory = "zones"
}
