provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  accept_reports_for = "all"
}

domain "b.example" {
  accept_reports_for = ["-"]
}
