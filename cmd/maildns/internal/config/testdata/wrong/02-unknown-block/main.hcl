provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dmark {
    policy = "none"
  }
}
