provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  ttl = "1h"
}

domain "A.EXAMPLE." {
  ttl = "2m"
}
