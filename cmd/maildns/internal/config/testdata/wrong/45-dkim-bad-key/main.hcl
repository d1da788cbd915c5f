provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dkim "s1" {
    public_key = "MIIBIjANBgkqhkiG9w0B..."
  }

  dkim "s2._domainkey" {
    cname = "s2.example.net"
  }

  dkim "*" {
    cname = "s3.example.net"
  }
}
