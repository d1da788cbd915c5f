provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  sender "postmark" {
    dkim_selector = "20260101000000pm"
    dkim_key      = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ..."
  }

  sender "google_workspace" {
    dkim = {
      google              = "not a key"
      "google._domainkey" = null
    }
  }
}
