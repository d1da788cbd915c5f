provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  tls_rpt {
    rua = ["tls@a.example"]
  }
}

domain "b.example" {
  tls_rpt {}
}
