provider "zonefile" "local" {
  directory = "zones"
}

locals {
  rua = "mailto:d@a.example"
  all = [local.rau]
}

domain "a.example" {
  dmarc {
    policy = "none"
    rua    = [local.rax]
  }
}
