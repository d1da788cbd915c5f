provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dmarc {
    rua = ["mailto:dmarc@a.example"]
  }
}
