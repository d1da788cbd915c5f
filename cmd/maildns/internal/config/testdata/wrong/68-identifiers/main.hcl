variable "my var" {
  default = 1
}

provider "zonefile" "local zones" {
  directory = "zones"
}
