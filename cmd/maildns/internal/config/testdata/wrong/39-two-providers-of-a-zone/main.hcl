provider "zonefile" "local" {
  directory = "zones"
}

provider "zonefile" "other" {
  directory = "other"
}

domain "a.example" {
  provider = provider.zonefile.local
}

domain "sub.a.example" {
  zone     = "a.example"
  provider = provider.zonefile.other
}
