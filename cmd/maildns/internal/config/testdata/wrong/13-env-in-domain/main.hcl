provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  owner = env("HOME")
}
