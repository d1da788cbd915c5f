provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  sender "sendgird" {
    account = "u1234567.wl123"
  }
}
