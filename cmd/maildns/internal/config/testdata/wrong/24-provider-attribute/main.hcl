provider "zonefile" "local" {
  directroy = "zones"
}
