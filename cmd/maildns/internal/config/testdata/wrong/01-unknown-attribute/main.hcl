provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  onwer = "SRE"
}
