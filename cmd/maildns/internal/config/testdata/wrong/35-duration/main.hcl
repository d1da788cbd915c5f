provider "zonefile" "local" {
  directory = "zones"
}

policy {
  soak         = "1y"
  clean_window = "36h"
  max_delete   = "150%"
  clean        = "literaly"
}
