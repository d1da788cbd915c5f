provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  record "x" "A" {
    values = ["192.0.2.300"]
  }

  record "y" "CNAME" {
    values = ["a.example.net", "b.example.net"]
  }

  record "z" "TXT" {
    values = []
  }

  record "w.a.example" "TXT" {
    values = ["x"]
  }

  record "@" "SOA" {
    values = ["x"]
  }

  record "v" "T X" {}
}
