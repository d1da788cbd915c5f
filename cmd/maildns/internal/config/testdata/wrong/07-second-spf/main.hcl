provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  spf {
    include = ["a.example.net"]
  }

  spf {
    include = ["b.example.net"]
  }
}
