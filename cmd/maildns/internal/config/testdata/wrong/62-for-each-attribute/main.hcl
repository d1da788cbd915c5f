provider "zonefile" "local" {
  directory = "zones"
}

domain "tenants" {
  for_each = { for t in csvdecode("domain,policy\na.example,none\nb.example,rejct\n") : t.domain => t }
  name     = each.key
  owner    = each.value.onwer

  dmarc {
    policy = each.value.policy
  }
}
