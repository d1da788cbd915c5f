provider "zonefile" "local" {
  directory = "zones"
}

domain {
  ttl = "1h"
}

provider "zonefile" {
  directory = "z"
}
