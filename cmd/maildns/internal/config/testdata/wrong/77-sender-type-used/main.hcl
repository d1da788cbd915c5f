provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  sender "own" {
    host  = "mx..example.net"
    hosts = ["a.example.net", "b_.example.net", "-.example.net"]
  }
}

sender_type "own" {
  mail_from = "${upper("x y")}.${domain}"

  input "host" {}
  input "hosts" {}

  mx {
    host = input.host
  }

  record "x" "CNAME" {
    for_each = input.hosts
    name     = "x${each.key}"
    values   = [each.value]
  }
}
