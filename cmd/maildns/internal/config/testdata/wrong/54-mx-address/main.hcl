provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  mx {
    host       = "192.0.2.1"
    preference = 70000
  }

  mx {
    preference = 5
  }
}
