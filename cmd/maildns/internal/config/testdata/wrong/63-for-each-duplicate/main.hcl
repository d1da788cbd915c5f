provider "zonefile" "local" {
  directory = "zones"
}

domain "tenants" {
  for_each = { for t in csvdecode("domain\na.example\na.example\n") : t.domain => t }
  name     = each.key
}
