provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  zone = "b.example"
}
