provider "zonefile" "local" {
  directory = "zones"
}

provider "zonefile" "other" {
  directory = "other"
}

domain "a.example" {
  ttl = "1h"
}
