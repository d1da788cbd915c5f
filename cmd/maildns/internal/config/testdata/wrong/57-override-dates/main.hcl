provider "zonefile" "local" {
  directory = "zones"
}

domain "a.example" {
  override "spf-narrow" {
    reason = "vendor left"
    until  = "2026-12-31"
  }

  override "spf-narow" {
    reason = "vendor left"
    until  = "2026-12-01"
  }

  override "spf-hardfail" {
    until = "soon"
  }

  override "adoption" {
    reason = "done"
    until  = "2026-11-01"
  }
}
