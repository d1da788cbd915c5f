provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  provider = provider.zonefile.locl
}
