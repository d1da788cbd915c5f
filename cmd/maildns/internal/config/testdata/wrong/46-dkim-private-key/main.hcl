provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  dkim "s1" {
    public_key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----"
  }
}
