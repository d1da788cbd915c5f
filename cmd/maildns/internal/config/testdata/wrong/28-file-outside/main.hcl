provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dkim "s1" {
    public_key = file("../key.pem")
  }
}
