provider "zonefile" "local" {
  directory = "zones"
}

domain "-a..example" {
  ttl = "1h"
}
