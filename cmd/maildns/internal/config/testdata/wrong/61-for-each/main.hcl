provider "zonefile" "local" {
  directory = "zones"
}

domain "tenants" {
  for_each = ["a.example", "b.example"]
  name     = each.key
}

domain "others" {
  for_each = toset(["c.example"])
}

domain "empty" {
  for_each = {}
  name     = each.key
  ttl      = "5h"
}
