provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  owner = var.onwer
}

variable "owner" {
  default = "SRE"
}
