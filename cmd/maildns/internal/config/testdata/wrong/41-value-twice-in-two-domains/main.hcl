provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  record "x.sub" "TXT" {
    values = ["one"]
  }
}

domain "sub.a.example" {
  zone = "a.example"
  record "x" "TXT" {
    values = ["one"]
  }
}
