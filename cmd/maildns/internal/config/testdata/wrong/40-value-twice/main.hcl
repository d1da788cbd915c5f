provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  record "x" "TXT" {
    values = ["one", "two"]
  }

  record "X" "txt" {
    values = ["two"]
  }

  mx {
    host = "MX.example.net."
  }

  mx {
    host = "mx.example.net"
  }
}
