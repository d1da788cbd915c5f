provider "zonefile" "local" {
  directory = "zones"
}

notify "support" {
  url = "slack://token@channel"
  on  = ["rolback"]
}

rollout "tenants" {
  canary = ["x.example"]
  label  = "gold"
}
