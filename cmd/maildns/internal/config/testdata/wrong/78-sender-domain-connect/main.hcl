provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  sender "vendor" {
    key    = "x"
    bounce = "no host"
  }
}

sender_type "vendor" {
  domain_connect = file("vendor.json")
}

sender_type "other" {
  domain_connect = file("other.json")

  spf {
    include = ["x.example"]
  }
}

sender_type "third" {
  domain_connect = file("third.json")
}
